//! The command line: arguments to options, reports to text or JSON. No decision is made here.

mod args;
mod check_format;
mod output;
mod outside;
mod progress;
mod show;

use crate::ops::link::Consent;
use crate::ops::{self, Commit, Outside};
use crate::registry::Destination;
use crate::types::{ErrorKind, Result, visible};
use args::{
    Add, Candidate, CheckFormat, Cli, Command, Commits, Forge, Global, Import, OnConflict, ShowFormat, Source, Sync,
    Take,
};
use clap::{CommandFactory as _, Parser as _};
use output::Output;
use std::process::ExitCode;

/// Something failed; the rest was done.
const FAILED: u8 = 1;
/// The command line or a configuration file cannot be used.
const USAGE: u8 = 2;
/// Something awaits a decision.
const AWAITS: u8 = 3;

/// ^C, as shells count it.
const INTERRUPTED: u8 = 130;

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "the process's own arguments")]
    let arguments = std::env::args_os();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return output::usage(&error),
    };
    let mut output = Output::new(&cli.global);
    let result = outside::read(&cli.global).and_then(|outside| run(&outside, &cli, &mut output));
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output.error(&error);
            if error.kind() == ErrorKind::Interrupted {
                return ExitCode::from(INTERRUPTED);
            }
            let kinds = [ErrorKind::Usage, ErrorKind::Config, ErrorKind::NewerFormat, ErrorKind::NoRegistry];
            let usage = kinds.contains(&error.kind());
            ExitCode::from(if usage { USAGE } else { FAILED })
        }
    }
}

fn run(outside: &Outside, cli: &Cli, out: &mut Output) -> Result<u8> {
    match &cli.command {
        Command::Init { dir, forge } => {
            let forge = forge.map(|forge| match forge {
                Forge::Github => ops::init::Forge::Github,
                Forge::Gitlab => ops::init::Forge::Gitlab,
                Forge::Forgejo => ops::init::Forge::Forgejo,
                Forge::None => ops::init::Forge::None,
            });
            let typed = cli.global.directory.clone().unwrap_or_default().join(dir);
            out.report(&ops::init::init(outside, dir, forge)?, |report, text| show::init(report, &typed, text));
        }
        Command::Add(options) => return add(outside, options, &cli.global, out),
        Command::Source(command) => source(outside, command, out)?,
        Command::Link { skill, to, base, yes, commits } => {
            let (skill, to, base) = (skill.clone(), to.clone(), base.clone());
            let options = ops::link::Options { skill, to, base, commit: commit(commits) };
            let consent = if *yes { Consent::Beforehand } else { Consent::Asked(&agree_to) };
            out.report(&ops::link::link(outside, &options, consent)?, show::link);
        }
        Command::Adopt { skill, commits } => {
            out.report(&ops::adopt::adopt(outside, skill, &commit(commits))?, show::adopt);
        }
        Command::Disable { skill, reason, commits } => {
            out.report(&ops::disable::disable(outside, skill, reason, &commit(commits))?, show::disable);
        }
        Command::Enable { skill, commits } => {
            out.report(&ops::disable::enable(outside, skill, &commit(commits))?, show::disable);
        }
        Command::Sync(options) => return sync(outside, &cli.global, options, out),
        Command::Status { exit_code } => {
            let report = ops::status::status(outside)?;
            out.report(&report, show::status);
            return Ok(if *exit_code && report.awaits_decision() { AWAITS } else { 0 });
        }
        Command::Candidate(command) => candidate(outside, command, out)?,
        Command::Pause { name, reason, until, commits } => {
            let report = ops::pause::pause(outside, name, reason.as_deref(), *until, &commit(commits))?;
            out.report(&report, show::pause);
        }
        Command::Resume { name, no_sync, commits } => {
            let report = ops::pause::resume(outside, name, &commit(commits))?;
            let source = report.source.clone().filter(|_| !no_sync && !commits.propose);
            // One document: of a resume that syncs, the sync's.
            if !(source.is_some() && cli.global.json) {
                out.report(&report, show::pause);
            }
            if let Some(source) = source {
                let options = Sync {
                    source: vec![source.to_string()],
                    dry_run: false,
                    push: None,
                    push_option: Vec::new(),
                    offline: false,
                    jobs: 1,
                    exit_code: false,
                };
                return sync(outside, &cli.global, &options, out);
            }
        }
        Command::List => out.report(&ops::list::list(outside)?, show::list),
        Command::Discover { skill_dir, doctor } => {
            out.report(&ops::discover::discover(outside, skill_dir, *doctor)?, show::discover);
        }
        Command::Import(options) => return import(outside, options, out),
        Command::Show { skill } => out.report(&ops::show::show(outside, skill)?, show::skill),
        Command::Log { skill } => out.report(&ops::show::log(outside, skill)?, show::log),
        Command::Diff { from, to } => out.report(&ops::diff::states(outside, from, to.as_deref())?, show::diff),
        Command::Export { skill, to } => out.report(&ops::export::export(outside, skill, to)?, show::export),
        Command::Rollback { skill, to, reason, commits } => {
            out.report(&ops::rollback::rollback(outside, skill, *to, reason, &commit(commits))?, show::rollback);
        }
        Command::Tag => {
            let report = ops::tag::tag(outside)?;
            out.report(&report, show::tag);
            return Ok(if report.failed.is_empty() { 0 } else { FAILED });
        }
        Command::Check { format } => {
            let report = ops::check::check(outside)?;
            match format {
                CheckFormat::Text => out.report(&report, show::check),
                CheckFormat::Json => out.json(&report),
                CheckFormat::Github => out.raw(check_format::github(&report).as_bytes()),
                CheckFormat::Sarif => out.raw(check_format::sarif(&report).as_bytes()),
            }
            return Ok(if report.count(crate::skill::spec::Severity::Error) > 0 { FAILED } else { 0 });
        }
        Command::Demo { dir } => demo(outside, dir.as_deref(), out)?,
        Command::Completions { shell } => {
            let mut bytes = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "skillgraft", &mut bytes);
            out.raw(&bytes);
        }
    }
    Ok(0)
}

fn source(outside: &Outside, command: &Source, out: &mut Output) -> Result<()> {
    match command {
        Source::List => out.report(&ops::source::list(outside)?, show::sources),
        Source::Show { name } => out.report(&ops::source::show(outside, name)?, show::source_file),
        Source::Trust { name, yes } => {
            let ask = |command: &[String]| {
                let question = format!("Source {name} runs {}", show::show_command(command));
                if *yes { Ok(true) } else { output::agree(&question) }
            };
            out.report(&ops::source::trust(outside, name, ask)?, show::trusted);
        }
        Source::Enable { name, commits } => {
            out.report(&ops::source::enable(outside, name, &commit(commits))?, show::add);
        }
        Source::Disable { name, commits } => {
            out.report(&ops::source::disable(outside, name, &commit(commits))?, show::source);
        }
        Source::Set { name, assignment, commits } => {
            out.report(&ops::source::set(outside, name, assignment, &commit(commits))?, show::source);
        }
        Source::Rename { old, new, commits } => {
            out.report(&ops::source::rename(outside, old, new, &commit(commits))?, show::source);
        }
        Source::Remove { name, adopt, delete: _, commits } => {
            let fate = if *adopt { ops::source::Fate::Adopt } else { ops::source::Fate::Delete };
            out.report(&ops::source::remove(outside, name, fate, &commit(commits))?, show::source);
        }
    }
    Ok(())
}

/// Asks whether each of these was copied from what was found.
fn agree_to(found: &[ops::link::Proposal]) -> Result<bool> {
    output::agree(&found.iter().map(show::found_origin).collect::<Vec<_>>().join(";\n"))
}

fn commit(commits: &Commits) -> Commit {
    let destination = if commits.propose { Destination::Proposal } else { Destination::DefaultBranch };
    Commit { destination, message: commits.message.clone() }
}

fn add(outside: &Outside, options: &Add, global: &Global, out: &mut Output) -> Result<u8> {
    let bar = progress::Progress::new(global);
    let ask = |found: &[ops::link::Proposal]| {
        bar.finish();
        agree_to(found)
    };
    let consent = if options.yes { Consent::Beforehand } else { Consent::Asked(&ask) };
    let add = ops::add::Options {
        source: options.source.clone().or_else(|| options.command.as_ref()?.first().cloned()).unwrap_or_default(),
        command: options.command.clone(),
        name: options.name.clone(),
        reference: options.reference.clone(),
        path: options.path.clone(),
        skills: options.skill.clone(),
        exclude: options.exclude.clone(),
        namespace: options.namespace.clone(),
        insecure: options.insecure,
        enable: !options.no_enable,
        link: options.link,
        commit: commit(&options.commits),
    };
    bar.show(&format!("waiting for {}", visible(&add.source)));
    if !options.plugin.is_empty() {
        let report = ops::add_plugins::add(outside, &add, &options.plugin);
        bar.finish();
        let report = report?;
        out.report(&report, show::add_plugins);
        return Ok(if report.failed() { FAILED } else { 0 });
    }
    let report = ops::add::add(outside, &add, consent);
    bar.finish();
    out.report(&report?, show::add);
    Ok(0)
}

fn import(outside: &Outside, options: &Import, out: &mut Output) -> Result<u8> {
    let how = |how| match how {
        OnConflict::Fail => ops::import::OnConflict::Fail,
        OnConflict::Skip => ops::import::OnConflict::Skip,
        OnConflict::Rename => ops::import::OnConflict::Rename,
        OnConflict::Overwrite => ops::import::OnConflict::Overwrite,
    };
    let ask = ops::import::Ask { choose: &show::choose, decide: &show::decide };
    let report = ops::import::import(
        outside,
        &ops::import::Options {
            keys: options.key.clone(),
            from: options.from.clone(),
            name: options.name.clone(),
            on_conflict: options.on_conflict.map(how),
            expect: options.expect.clone(),
            link: options.link,
            commit: commit(&options.commits),
        },
        &ask,
    )?;
    out.report(&report, show::import);
    Ok(match (report.failed(), report.awaits_decision()) {
        (true, _) => FAILED,
        (false, true) => AWAITS,
        (false, false) => 0,
    })
}

fn sync(outside: &Outside, global: &Global, options: &Sync, out: &mut Output) -> Result<u8> {
    let bar = progress::Progress::new(global);
    let report = ops::sync::sync(
        outside,
        &ops::sync::Options {
            sources: &options.source,
            dry_run: options.dry_run,
            offline: options.offline,
            push: options.push.as_deref(),
            push_options: &options.push_option,
            jobs: options.jobs,
            progress: &|what| bar.show(what),
        },
    );
    bar.finish();
    let report = report?;
    out.report(&report, |report, text| show::sync(report, options.dry_run, text));
    Ok(if report.failed() {
        FAILED
    } else if options.exit_code && report.awaits_decision() {
        AWAITS
    } else {
        0
    })
}

fn candidate(outside: &Outside, command: &Candidate, out: &mut Output) -> Result<()> {
    match command {
        Candidate::List => out.report(&ops::candidate::list(outside)?, show::candidates),
        Candidate::Show { id, format } => {
            let report = ops::candidate::show(outside, id)?;
            match format {
                ShowFormat::Text => out.report(&report, show::candidate),
                ShowFormat::Json => out.json(&report),
                ShowFormat::Markdown if !out.is_json() => out.raw(report.pull_request.markdown().as_bytes()),
                ShowFormat::Markdown => out.json(&report),
            }
        }
        Candidate::Diff { id, upstream } => out.report(&ops::diff::candidate(outside, id, *upstream)?, show::diff),
        Candidate::Accept { id, commits } => {
            out.report(&ops::accept::accept(outside, id, &commit(commits))?, show::accept)
        }
        Candidate::Decline { id, reason, always, until, commits } => {
            let (id, reason) = (id.clone(), reason.clone());
            let options = ops::decline::Options { id, reason, always: *always, until: *until, commit: commit(commits) };
            out.report(&ops::decline::decline(outside, &options)?, show::decline);
        }
        Candidate::Retry { id } => out.report(&ops::decline::retry(outside, id)?, show::retry),
        Candidate::Resolve { id, path, take, commits } => {
            let take = take.map(|take| match take {
                Take::Local => ops::resolve::Side::Local,
                Take::Upstream => ops::resolve::Side::Upstream,
            });
            out.report(&ops::resolve::resolve(outside, id, path, take, &commit(commits))?, show::resolve);
        }
    }
    Ok(())
}

fn demo(outside: &Outside, dir: Option<&std::path::Path>, out: &mut Output) -> Result<()> {
    let dir = match dir {
        Some(dir) => dir.to_owned(),
        None => output::kept_temporary_folder()?,
    };
    out.report(&ops::demo::demo(outside, &dir)?, show::demo);
    Ok(())
}
