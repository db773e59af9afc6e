//! The file that `add` writes for a new source.

use super::Origin;
use crate::types::RelPath;

/// What `add` writes down. Only what differs from the default is written, but for the keys that people look for.
#[derive(Debug, Clone)]
pub struct NewSource {
    /// Where it is.
    pub origin: Origin,
    /// Branch, tag or commit; of ClawHub, a version.
    pub reference: Option<String>,
    /// The folder looked at; only for git.
    pub path: RelPath,
    /// Globs; empty means everything.
    pub skills: Vec<String>,
    /// Globs.
    pub exclude: Vec<String>,
    /// The namespace; empty for none.
    pub namespace: String,
    /// Whether it may come over unencrypted http.
    pub insecure: bool,
    /// Whether sync looks at it.
    pub enabled: bool,
}

impl NewSource {
    /// Returns the text of the source file.
    pub fn render(&self) -> String {
        let mut document = toml_edit::DocumentMut::new();
        document["format"] = toml_edit::value(1);
        match &self.origin {
            Origin::Git(url) => document["git"] = toml_edit::value(url),
            Origin::Directory(path) => document["path"] = toml_edit::value(path),
            Origin::Bundle(path) => document["bundle"] = toml_edit::value(path),
            Origin::Plugin { marketplace, plugin } => {
                document["marketplace"] = toml_edit::value(marketplace);
                document["plugin"] = toml_edit::value(plugin);
            }
            Origin::Index(url) => document["index"] = toml_edit::value(url),
            Origin::ClawHub { skill, registry } => {
                document["clawhub"] = toml_edit::value(skill);
                if let Some(registry) = registry {
                    document["registry"] = toml_edit::value(registry);
                }
            }
            Origin::Command(command) => {
                document["command"] = toml_edit::value(toml_edit::Array::from_iter(command));
            }
        }
        if let Some(reference) = &self.reference {
            document["ref"] = toml_edit::value(reference);
        }
        if !self.path.is_root() {
            document["path"] = toml_edit::value(self.path.as_str());
        }
        let everything = ["*".to_owned()];
        let skills = if self.skills.is_empty() { &everything[..] } else { &self.skills };
        document["skills"] = toml_edit::value(toml_edit::Array::from_iter(skills));
        if !self.exclude.is_empty() {
            document["exclude"] = toml_edit::value(toml_edit::Array::from_iter(&self.exclude));
        }
        if !self.namespace.is_empty() {
            document["namespace"] = toml_edit::value(&self.namespace);
        }
        if self.insecure {
            document["insecure"] = toml_edit::value(true);
        }
        if !self.enabled {
            document["enabled"] = toml_edit::value(false);
        }
        document.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::SourceFile;
    use crate::types::SourceName;

    #[test]
    fn what_add_writes_is_what_sync_reads() {
        let plugin = Origin::Plugin { marketplace: "https://example.com/m.git".into(), plugin: "ops".into() };
        let name = SourceName::parse("s").expect("valid");
        for (origin, folder) in [
            (Origin::Git("https://example.com/a.git".into()), "skills"),
            (Origin::Bundle("../a.bundle".into()), "skills"),
            (plugin, "."),
        ] {
            let new = NewSource {
                origin,
                reference: Some("main".into()),
                path: RelPath::parse(folder).expect("valid"),
                skills: vec!["deploy*".into()],
                exclude: vec!["deploy-old".into()],
                namespace: "acme".into(),
                insecure: true,
                enabled: false,
            };
            let source = SourceFile::parse(name.clone(), &new.render()).expect("own output");
            assert_eq!((&source.origin, source.reference.as_deref()), (&new.origin, Some("main")));
            assert_eq!((source.enabled, source.insecure, source.namespace.as_str()), (false, true, "acme"));
            let selects = |path: &str| source.selection.selects(&RelPath::parse(path).expect("valid"), &name);
            assert!(selects("skills/deploy") && selects("skills/x/deploy-2"));
            assert!(!selects("skills/deploy-old") && !selects("skills/ops"));
            assert_eq!(selects("deploy"), folder == ".");
        }
    }
}
