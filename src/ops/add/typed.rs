//! What a spelling and the options beside it come to: which source it is, and what its file will say.

use super::Options;
use crate::git::Repository;
use crate::ops::Outside;
use crate::registry::{NewSource, Origin, Registry};
use crate::source::location::{self, GitLocation, Location};
use crate::source::split_reference;
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, SourceName, one_line};
use std::path::{Component, Path, PathBuf};

/// What a spelling and the options beside it come to.
pub(in crate::ops) struct Described {
    pub(in crate::ops) new: NewSource,
    pub(in crate::ops) name: SourceName,
}

pub(in crate::ops) fn describe(outside: &Outside, registry: &Registry, options: &Options) -> Result<Described> {
    let (default_name, (origin, said)) = match &options.command {
        // A program is called by its name, or by its path.
        Some(command) => (
            location::default_name(&Location::Path(options.source.clone())),
            (Origin::Command(command.clone()), GitLocation::default()),
        ),
        None => {
            let location = location::parse(&options.source)?;
            refuse_ambiguous(outside, &options.source, &location)?;
            (location::default_name(&location), origin(outside, registry, options, location)?)
        }
    };
    let name = match &options.name {
        Some(name) => SourceName::parse(name)?,
        None => default_name.ok_or_else(|| {
            Error::new(ErrorKind::Usage, "no name can be made of this source").hint("choose one with --name")
        })?,
    };
    let has_folders = matches!(origin, Origin::Git(_) | Origin::Bundle(_));
    if options.path.is_some() && !has_folders
        || options.reference.is_some() && !has_folders && !matches!(origin, Origin::ClawHub { .. })
    {
        let kind = origin.kind();
        return Err(Error::new(ErrorKind::Usage, format!("a source of kind {kind} has no --ref and no --path"))
            .hint("only a repository has both, and a skill on ClawHub a version: --ref 1.2.0"));
    }
    let typed_path = options.path.as_deref().map(RelPath::parse).transpose();
    let typed_path = typed_path.context(ErrorKind::Usage, || "--path is not a folder inside the source")?;
    let mut skills = options.skills.clone();
    if let Some(skill) = said.skill {
        let both = match skills.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            _ => Some(skills.join(", ")),
        };
        skills = agreed("--skill", both, Some(skill))?.into_iter().collect();
    }
    let new = NewSource {
        origin,
        reference: agreed("--ref", options.reference.clone(), said.reference)?,
        path: agreed("--path", typed_path, said.path)?.unwrap_or_default(),
        skills,
        exclude: options.exclude.clone(),
        namespace: options.namespace.clone(),
        insecure: options.insecure,
        enabled: options.enable,
    };
    Ok(Described { new, name })
}

/// The one value of an option and of what the spelling says.
fn agreed<T: PartialEq + ToString>(option: &str, typed: Option<T>, said: Option<T>) -> Result<Option<T>> {
    match (typed, said) {
        (Some(typed), Some(said)) if typed != said => {
            let (typed, said) = (one_line(&typed.to_string(), 80), one_line(&said.to_string(), 80));
            Err(Error::new(ErrorKind::Usage, format!("the source says `{said}`, and {option} says `{typed}`"))
                .hint(format!("say it once: leave {option} out, or name the repository alone")))
        }
        (typed, said) => Ok(typed.or(said)),
    }
}

/// `owner/repo` is on GitHub, unless it is a folder here: then nobody can say which one was meant.
fn refuse_ambiguous(outside: &Outside, typed: &str, location: &Location) -> Result<()> {
    match location::path_meant(typed) {
        Some(path) if outside.directory.join(path).exists() => {
            let url = match location {
                Location::Git(GitLocation { url, .. }) | Location::GitTree { url, .. } => url.clone(),
                _ => format!("https://{typed}"),
            };
            Err(Error::new(
                ErrorKind::Usage,
                format!("`{typed}` is a folder here, and could be a repository elsewhere"),
            )
            .hint(format!("write ./{path} for the folder, or {url} for the repository")))
        }
        _ => Ok(()),
    }
}

/// Returns where a location is, as the source file writes it, and what else the spelling says.
fn origin(
    outside: &Outside,
    registry: &Registry,
    options: &Options,
    location: Location,
) -> Result<(Origin, GitLocation)> {
    let git = match location {
        Location::Path(path) => return Ok((on_disk(outside, registry, &path)?, GitLocation::default())),
        Location::Bundle(path) => return Ok((on_disk(outside, registry, &path)?, GitLocation::default())),
        Location::Git(git) => git,
        Location::GitTree { url, rest } => {
            refuse_insecure(&url, options)?;
            let access = outside.access(false, false);
            let (reference, path) = split_reference(&access, &url, options.insecure, &rest)?;
            let path = RelPath::parse(&path)?;
            GitLocation {
                url,
                reference: Some(reference),
                path: Some(path).filter(|path| !path.is_root()),
                skill: None,
            }
        }
        Location::Index(url) => {
            refuse_insecure(&url, options)?;
            return Ok((Origin::Index(url), GitLocation::default()));
        }
        Location::ClawHub { owner, slug } => {
            let skill = owner.map_or(slug.clone(), |owner| format!("{owner}/{slug}"));
            return Ok((Origin::ClawHub { skill, registry: None }, GitLocation::default()));
        }
    };
    refuse_insecure(&git.url, options)?;
    Ok((Origin::Git(git.url.clone()), git))
}

fn refuse_insecure(url: &str, options: &Options) -> Result<()> {
    if !location::is_insecure(url) || options.insecure {
        return Ok(());
    }
    Err(location::unprotected(ErrorKind::Usage, url).hint("use https; or allow it with --insecure"))
}

/// A path is written down relative to the registry where it was typed relative, so that a clone beside another copy of
/// the source finds it.
fn on_disk(outside: &Outside, registry: &Registry, typed: &str) -> Result<Origin> {
    let path = outside.directory.join(typed);
    let missing = || {
        let what = if typed.ends_with(".bundle") { "file" } else { "folder" };
        Error::new(ErrorKind::Usage, format!("there is no {what} {}", path.display()))
            .hint(format!("a source is one of: {}", location::UNDERSTOOD))
    };
    let real = path.canonicalize().map_err(|error| missing().because(error))?;
    let is_bundle = real.is_file() && typed.ends_with(".bundle");
    if !real.is_dir() && !is_bundle {
        return Err(missing());
    }
    let relative = if Path::new(typed).is_absolute() { real.clone() } else { relative_to(&registry.directory, &real) };
    let text = relative.to_str().map(|text| text.replace(std::path::MAIN_SEPARATOR, "/"));
    let text = text.ok_or_else(|| Error::new(ErrorKind::Usage, format!("{} is not UTF-8", real.display())))?;
    let own = registry.repository.work_dir().and_then(|dir| dir.canonicalize().ok());
    let is_repository = Repository::open(&real).is_ok() && own.as_deref() != Some(real.as_path());
    // In a source file a plain word is a path too; the dot says so to people.
    let text = if text.starts_with(['.', '/']) { text } else { format!("./{text}") };
    if is_bundle {
        return Ok(Origin::Bundle(text));
    }
    Ok(if is_repository { Origin::Git(text) } else { Origin::Directory(text) })
}

pub(in crate::ops) fn relative_to(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(to.components().skip(shared)).collect();
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_relative_to_the_registry() {
        let relative = |from: &str, to: &str| relative_to(Path::new(from), Path::new(to)).display().to_string();
        assert_eq!(relative("/a/registry", "/a/upstream"), "../upstream");
        assert_eq!(relative("/a", "/a/b"), "b");
        assert_eq!(relative("/a", "/a"), ".");
    }
}
