//! Which registry a user's npm asks: `NPM_CONFIG_REGISTRY`, then `registry=` of the project's and of the user's `.npmrc`
//! (npm's own order); for a scope, `@scope:registry=` of these files goes before all.

use crate::git::Environment;
use crate::types::{Context as _, ErrorKind, Result};
use std::path::{Path, PathBuf};

/// The largest `.npmrc` that is read, in bytes.
const NPMRC_BYTES: u64 = 1 << 20;

/// Returns the address of the registry that `package` comes from; none where nobody says one. Nothing else is read of these
/// files, and no token of theirs is ever sent.
pub(super) fn registry(environment: &Environment, project: &Path, package: &str) -> Result<Option<String>> {
    let variable =
        |names: &[&str]| names.iter().find_map(|name| environment.get(name)).filter(|value| !value.is_empty());
    let home = variable(&["HOME", "USERPROFILE"]).map(|home| Path::new(home).join(".npmrc"));
    let user = variable(&["npm_config_userconfig", "NPM_CONFIG_USERCONFIG"]).map(PathBuf::from).or(home);
    let files = [Some(project.join(".npmrc")), user];
    let texts = files.into_iter().flatten().map(|file| read(&file)).collect::<Result<Vec<_>>>()?;
    let of = |key: &str| texts.iter().find_map(|text| value(text, key));
    let scoped = package.split_once('/').filter(|(scope, _)| scope.starts_with('@'));
    let scoped = scoped.and_then(|(scope, _)| of(&format!("{scope}:registry")));
    let named = || variable(&["npm_config_registry", "NPM_CONFIG_REGISTRY"])?.to_str().map(str::to_owned);
    Ok(scoped.or_else(named).or_else(|| of("registry")))
}

fn read(file: &Path) -> Result<String> {
    match std::fs::metadata(file) {
        Ok(found) if found.is_file() && found.len() <= NPMRC_BYTES => {
            let bytes = std::fs::read(file).context(ErrorKind::Io, || format!("cannot read {}", file.display()))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => Ok(String::new()),
    }
}

/// The last value of a key: `key = value` in lines, as npm's `ini` reads them; what stands in a section is another's.
fn value(text: &str, key: &str) -> Option<String> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).take_while(|line| !line.starts_with('['));
    let pairs = lines.filter(|line| !line.starts_with(['#', ';'])).filter_map(|line| line.split_once('='));
    let values = pairs.filter(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().trim_matches(['"', '\'']));
    values.filter(|value| !value.is_empty()).last().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn the_last_value_counts_and_comments_and_sections_do_not() {
        let text = "; registry=https://a\n#registry=https://b\nregistry = \"https://c/\"\r\n@acme:registry=https://d\n\
                    registry=\n//c/:_authToken=x\n[other]\nregistry=https://e\n";
        assert_eq!(value(text, "registry").as_deref(), Some("https://c/"));
        assert_eq!(value(text, "@acme:registry").as_deref(), Some("https://d"));
        assert_eq!(value(text, "@other:registry"), None);
    }
}
