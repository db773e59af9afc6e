//! Who is shadowed by whom: a question for each agent, because no agent reads all roots, and each has an order of its own.
//!
//! What a person names (`--skill-dir`, `SKILLGRAFT_SKILLS_PATH`) is meant for every agent, and comes first.

use super::SeenSkill;
use crate::source::roots::Layer;

/// What stands before a skill of the same key.
#[derive(Debug, PartialEq, Eq)]
pub struct Shadow {
    /// Which of the skills; of several, the one that counts first.
    pub by: usize,
    /// The agents that find that one, or another, instead of this.
    pub agents: Vec<&'static str>,
}

/// Returns for each of the skills of one key, in the order in which they count, what shadows it.
pub fn shadows(same: &[SeenSkill<'_>]) -> Vec<Option<Shadow>> {
    (0..same.len()).map(|at| shadow_of(same, at)).collect()
}

fn shadow_of(same: &[SeenSkill<'_>], at: usize) -> Option<Shadow> {
    let is_named = |skill: &SeenSkill<'_>| matches!(skill.root.layer, Layer::CommandLine | Layer::Environment);
    // The same directory under another name is what installers make on purpose.
    let hides = |first: usize| first != at && same[first].skill.real != same[at].skill.real;
    if is_named(&same[0]) {
        return hides(0).then(|| Shadow { by: 0, agents: same[at].root.agent_ids() });
    }
    let first_for = |agent: &str| {
        let read = same.iter().enumerate().filter_map(|(at, skill)| {
            let reader = skill.root.agents.iter().find(|reader| reader.id == agent)?;
            Some((skill.root.layer, reader.rank, at))
        });
        read.min().map(|(.., at)| at)
    };
    let hidden = same[at].root.agent_ids().into_iter().filter_map(|agent| Some((agent, first_for(agent)?)));
    let hidden: Vec<_> = hidden.filter(|(_, first)| hides(*first)).collect();
    let by = hidden.iter().map(|(_, first)| *first).min()?;
    Some(Shadow { by, agents: hidden.into_iter().map(|(agent, _)| agent).collect() })
}
