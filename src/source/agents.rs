//! The table of agents: which folders each of them reads skills from.
//!
//! One row for each agent, as its own documentation says; where it says nothing, as the two installers that know most
//! agents do (`npx skills` and `gh skill`, looked up on 2026-11-20). A folder that several agents read stands in the
//! row of each. A user root may begin with `~`, or with a variable that moves it: `${VARIABLE:-default}`.

/// An agent, and the folders that it reads skills from.
#[derive(Debug)]
pub struct Agent {
    /// Its id, as the installers write it.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Folders of a project, its own first.
    pub project: &'static [&'static str],
    /// Folders of a user, its own first.
    pub user: &'static [&'static str],
    /// Folders that an administrator fills, of every operating system.
    pub system: &'static [&'static str],
}

/// The folders that no single agent owns.
pub const UNIVERSAL: [&str; 5] = [SHARED, HOME, XDG_AGENTS, "/etc/agents/skills", "C:\\ProgramData\\agents\\skills"];

const SHARED: &str = ".agents/skills";
const HOME: &str = "~/.agents/skills";
const XDG_AGENTS: &str = "${XDG_CONFIG_HOME:-~/.config}/agents/skills";
const CLAUDE: &str = ".claude/skills";
const CLAUDE_HOME: &str = "${CLAUDE_CONFIG_DIR:-~/.claude}/skills";
const CODEX_HOME: &str = "${CODEX_HOME:-~/.codex}/skills";

/// Returns a row; most agents have one folder in a project and one in the user's home.
const fn agent(
    id: &'static str,
    name: &'static str,
    project: &'static [&'static str],
    user: &'static [&'static str],
) -> Agent {
    Agent { id, name, project, user, system: &[] }
}

/// The table; the most widely used first, then by id.
pub const AGENTS: &[Agent] = &[
    Agent {
        id: "claude-code",
        name: "Claude Code",
        project: &[CLAUDE],
        user: &[CLAUDE_HOME],
        system: &[
            "/etc/claude-code/.claude/skills",
            "/Library/Application Support/ClaudeCode/.claude/skills",
            "C:\\Program Files\\ClaudeCode\\.claude\\skills",
        ],
    },
    Agent {
        id: "codex",
        name: "Codex",
        project: &[".codex/skills", SHARED],
        user: &[CODEX_HOME, HOME],
        system: &["/etc/codex/skills"],
    },
    agent("gemini-cli", "Gemini CLI", &[".gemini/skills", SHARED], &["~/.gemini/skills", HOME]),
    agent(
        "cursor",
        "Cursor",
        &[".cursor/skills", CLAUDE, ".codex/skills", SHARED],
        &["~/.cursor/skills", CLAUDE_HOME, CODEX_HOME, HOME],
    ),
    agent(
        "github-copilot",
        "GitHub Copilot",
        &[".github/skills", CLAUDE, SHARED],
        &["~/.copilot/skills", CLAUDE_HOME, HOME],
    ),
    agent(
        "opencode",
        "OpenCode",
        &[".opencode/skills", CLAUDE, SHARED],
        &["${XDG_CONFIG_HOME:-~/.config}/opencode/skills", CLAUDE_HOME, HOME],
    ),
    agent(
        "goose",
        "Goose",
        &[".goose/skills", CLAUDE, SHARED],
        &["${XDG_CONFIG_HOME:-~/.config}/goose/skills", CLAUDE_HOME, XDG_AGENTS, HOME],
    ),
    agent("amp", "Amp", &[CLAUDE, SHARED], &["${XDG_CONFIG_HOME:-~/.config}/amp/skills", CLAUDE_HOME, XDG_AGENTS]),
    Agent {
        id: "windsurf",
        name: "Windsurf",
        project: &[".windsurf/skills", CLAUDE, SHARED],
        user: &["~/.codeium/windsurf/skills", CLAUDE_HOME, HOME],
        system: &[
            "/etc/windsurf/skills",
            "/Library/Application Support/Windsurf/skills",
            "C:\\ProgramData\\Windsurf\\skills",
        ],
    },
    agent(
        "openclaw",
        "OpenClaw",
        &["skills", SHARED],
        &["~/.openclaw/skills", "~/.clawdbot/skills", "~/.moltbot/skills", HOME],
    ),
    agent("adal", "AdaL", &[".adal/skills"], &["~/.adal/skills"]),
    agent("aider-desk", "AiderDesk", &[".aider-desk/skills"], &["~/.aider-desk/skills"]),
    agent(
        "antigravity",
        "Antigravity",
        &[".agent/skills", SHARED],
        &["~/.gemini/antigravity/skills", "~/.antigravity/skills"],
    ),
    agent("antigravity-cli", "Antigravity CLI", &[SHARED], &["~/.gemini/antigravity-cli/skills"]),
    agent("astrbot", "AstrBot", &["data/skills"], &["~/.astrbot/data/skills"]),
    agent("augment", "Augment", &[".augment/skills"], &["~/.augment/skills"]),
    agent("autohand-code", "Autohand Code", &[".autohand/skills"], &["${AUTOHAND_HOME:-~/.autohand}/skills"]),
    agent("bob", "IBM Bob", &[".bob/skills"], &["~/.bob/skills"]),
    agent("cline", "Cline", &[".cline/skills", ".clinerules/skills", SHARED], &["~/.cline/skills", HOME]),
    agent("codearts-agent", "CodeArts Agent", &[".codeartsdoer/skills"], &["~/.codeartsdoer/skills"]),
    agent("codebuddy", "CodeBuddy", &[".codebuddy/skills"], &["~/.codebuddy/skills"]),
    agent("codemaker", "Codemaker", &[".codemaker/skills"], &["~/.codemaker/skills"]),
    agent("codestudio", "Code Studio", &[".codestudio/skills"], &["~/.codestudio/skills"]),
    agent("command-code", "Command Code", &[".commandcode/skills"], &["~/.commandcode/skills"]),
    agent("continue", "Continue", &[".continue/skills"], &["~/.continue/skills"]),
    agent("cortex", "Cortex Code", &[".cortex/skills"], &["~/.snowflake/cortex/skills"]),
    agent("crush", "Crush", &[".crush/skills"], &["${XDG_CONFIG_HOME:-~/.config}/crush/skills"]),
    agent("deepagents", "Deep Agents", &[SHARED], &["~/.deepagents/agent/skills"]),
    agent("devin", "Devin for Terminal", &[".devin/skills"], &["${XDG_CONFIG_HOME:-~/.config}/devin/skills"]),
    agent("droid", "Factory Droid", &[".factory/skills", SHARED], &["~/.factory/skills", HOME]),
    agent("eve", "Eve", &["agent/skills"], &[]),
    agent("firebender", "Firebender", &[SHARED], &["~/.firebender/skills"]),
    agent("forgecode", "ForgeCode", &[".forge/skills"], &["~/.forge/skills"]),
    agent("grok", "Grok Build", &[".grok/skills"], &["${GROK_HOME:-~/.grok}/skills"]),
    agent("hermes-agent", "Hermes Agent", &[".hermes/skills"], &["${HERMES_HOME:-~/.hermes}/skills"]),
    agent("iflow-cli", "iFlow CLI", &[".iflow/skills"], &["~/.iflow/skills"]),
    agent("inference-sh", "inference.sh", &[".inferencesh/skills"], &["~/.inferencesh/skills"]),
    agent("jazz", "Jazz", &[".jazz/skills"], &["~/.jazz/skills"]),
    agent("junie", "Junie", &[".junie/skills"], &["~/.junie/skills"]),
    agent(
        "kilo",
        "Kilo Code",
        &[".kilocode/skills", ".kilo/skills", SHARED],
        &["~/.kilocode/skills", "~/.kilo/skills"],
    ),
    agent("kimi-cli", "Kimi Code CLI", &[SHARED], &[HOME, XDG_AGENTS]),
    agent("kiro-cli", "Kiro", &[".kiro/skills"], &["~/.kiro/skills"]),
    agent("kode", "Kode", &[".kode/skills"], &["~/.kode/skills"]),
    agent("lingma", "Lingma", &[".lingma/skills"], &["~/.lingma/skills"]),
    agent("mcpjam", "MCPJam", &[".mcpjam/skills"], &["~/.mcpjam/skills"]),
    agent("mistral-vibe", "Mistral Vibe", &[".vibe/skills"], &["${VIBE_HOME:-~/.vibe}/skills"]),
    agent("moxby", "Moxby", &[".moxby/skills"], &["~/.moxby/skills"]),
    agent("mux", "Mux", &[".mux/skills"], &["~/.mux/skills"]),
    agent("neovate", "Neovate", &[".neovate/skills"], &["~/.neovate/skills"]),
    agent("ona", "Ona", &[".ona/skills"], &["~/.ona/skills"]),
    agent("openhands", "OpenHands", &[".openhands/skills"], &["~/.openhands/skills"]),
    agent("pi", "Pi", &[".pi/skills"], &["~/.pi/agent/skills"]),
    agent("pochi", "Pochi", &[".pochi/skills"], &["~/.pochi/skills"]),
    agent("qoder", "Qoder", &[".qoder/skills"], &["~/.qoder/skills", "~/.qoder-cn/skills"]),
    agent("qwen-code", "Qwen Code", &[".qwen/skills"], &["~/.qwen/skills"]),
    agent("reasonix", "Reasonix", &[".reasonix/skills"], &["~/.reasonix/skills"]),
    agent("replit", "Replit", &[SHARED], &[XDG_AGENTS]),
    agent("roo", "Roo Code", &[".roo/skills"], &["~/.roo/skills"]),
    agent("rovodev", "Rovo Dev", &[".rovodev/skills"], &["~/.rovodev/skills"]),
    agent("tabnine-cli", "Tabnine CLI", &[".tabnine/agent/skills"], &["~/.tabnine/agent/skills"]),
    agent("terramind", "Terramind", &[".terramind/skills"], &["~/.terramind/skills"]),
    agent("tinycloud", "Tinycloud", &[".tinycloud/skills"], &["~/.tinycloud/skills"]),
    agent("trae", "Trae", &[".trae/skills"], &["~/.trae/skills", "~/.trae-cn/skills"]),
    agent("warp", "Warp", &[SHARED], &[HOME]),
    agent("zcode", "ZCode", &[".zcode/skills"], &["~/.zcode/skills"]),
    agent("zed", "Zed", &[SHARED], &[HOME]),
    agent("zencoder", "Zencoder", &[".zencoder/skills"], &["~/.zencoder/skills"]),
    Agent {
        id: "universal",
        name: "Universal",
        project: &[SHARED],
        user: &[HOME, XDG_AGENTS],
        system: &["/etc/agents/skills", "C:\\ProgramData\\agents\\skills"],
    },
];

/// Returns the names of the variables that move user roots.
pub fn variables() -> impl Iterator<Item = &'static str> {
    AGENTS.iter().flat_map(|agent| agent.user).filter_map(|root| Some(split_variable(root)?.0))
}

/// Returns the variable, its default and the rest of `${VARIABLE:-default}rest`.
pub fn split_variable(root: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let (inside, rest) = root.strip_prefix("${")?.split_once('}')?;
    let (variable, default) = inside.split_once(":-")?;
    Some((variable, default, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_is_one_that_can_be_followed() {
        let ids: BTreeSet<_> = AGENTS.iter().map(|agent| agent.id).collect();
        assert_eq!(ids.len(), AGENTS.len(), "an id stands twice");
        for agent in AGENTS {
            for root in agent.project {
                assert!(crate::types::RelPath::check(root).is_ok_and(|root| !root.is_root()), "{}: {root}", agent.id);
            }
            for root in agent.user {
                let default = split_variable(root).map_or(*root, |(_, default, _)| default);
                assert!(default.starts_with("~/"), "{}: {root}", agent.id);
            }
            assert!(!agent.project.is_empty() && !agent.name.is_empty(), "{}", agent.id);
        }
    }
}
