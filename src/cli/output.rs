//! Where text goes: results to stdout, everything else to stderr, colour where it is wanted.
//!
//! A pipe that closes early (`skillgraft list | head`) ends the output, not the program with a panic.

use super::args::{Color, Global};
use crate::git::redact;
use crate::types::{Context as _, Error, ErrorKind, Result, escape};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// Red, for errors and removed lines.
pub const RED: Style = AnsiColor::Red.on_default();
/// Green, for added lines and what is done.
pub const GREEN: Style = AnsiColor::Green.on_default();
/// Yellow, for what awaits a person.
pub const YELLOW: Style = AnsiColor::Yellow.on_default();
/// Cyan, for places.
pub const CYAN: Style = AnsiColor::Cyan.on_default();
/// Bold, for headings.
pub const BOLD: Style = Style::new().bold();

/// The text of a report: results and remarks.
#[derive(Default)]
pub struct Text {
    /// For stdout.
    pub results: String,
    /// For stderr.
    pub remarks: String,
    /// Show what did not change, too.
    pub verbose: bool,
    /// Somebody looks at it on a terminal; else it is a log.
    pub terminal: bool,
    /// Leave the remarks out; errors stay.
    pub quiet: bool,
}

impl Text {
    /// Adds a line to the results.
    pub fn line(&mut self, line: impl AsRef<str>) {
        writeln!(self.results, "{}", line.as_ref()).expect("writing to a String cannot fail");
    }

    /// Adds a line to the remarks, unless nobody wants them.
    pub fn remark(&mut self, line: impl AsRef<str>) {
        if !self.quiet {
            self.error(line);
        }
    }

    /// Adds a line to the remarks that is shown in any case.
    pub fn error(&mut self, line: impl AsRef<str>) {
        writeln!(self.remarks, "{}", line.as_ref()).expect("writing to a String cannot fail");
    }
}

/// Where the text goes.
pub struct Output {
    json: bool,
    quiet: bool,
    verbose: bool,
    color: Color,
}

impl Output {
    /// Returns the output that the person asked for.
    pub fn new(global: &Global) -> Self {
        Output { json: global.json, quiet: global.quiet, verbose: global.verbose, color: global.color }
    }

    /// Prints a report: as JSON, or as the text that `show` makes of it.
    pub fn report<R: Serialize>(&mut self, report: &R, show: impl FnOnce(&R, &mut Text)) {
        if self.json {
            self.json(report);
            return;
        }
        let terminal = std::io::stdout().is_terminal();
        let mut text = Text { verbose: self.verbose, terminal, quiet: self.quiet, ..Text::default() };
        show(report, &mut text);
        self.raw(text.results.as_bytes());
        self.stderr(&text.remarks);
    }

    /// Prints a report as one JSON document.
    pub fn json<R: Serialize>(&self, report: &R) {
        let mut bytes = serde_json::to_vec_pretty(report).expect("reports have text keys only");
        bytes.push(b'\n');
        self.raw(&bytes);
    }

    /// Tells whether `--json` asks for one document.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints bytes on stdout.
    pub fn raw(&self, bytes: &[u8]) {
        let mut stdout = AutoStream::new(std::io::stdout(), self.choice(&std::io::stdout()));
        // What nobody reads any more needs no error.
        let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
    }

    /// Prints an error: one sentence, its causes, and a hint.
    pub fn error(&self, error: &Error) {
        if self.json {
            let report = crate::sync::report::ErrorReport::from(error);
            let document = serde_json::json!({ "format": 1, "error": report });
            self.json(&document);
        }
        // What a person typed may stand in it, and a log is read by others.
        let safe = |said: &str| escape(&redact(said));
        let mut text = format!("{RED}error:{RED:#} {}\n", safe(&error.to_string()));
        for cause in error.causes() {
            for (index, line) in safe(&cause).lines().enumerate() {
                let label = if index == 0 { "cause: " } else { "       " };
                writeln!(text, "  {label}{line}").expect("writing to a String cannot fail");
            }
        }
        if let Some(hint) = error.hint_text() {
            writeln!(text, "  {CYAN}hint:{CYAN:#} {}", safe(hint)).expect("writing to a String cannot fail");
        }
        self.stderr(&text);
    }

    fn stderr(&self, text: &str) {
        let mut stderr = AutoStream::new(std::io::stderr(), self.choice(&std::io::stderr()));
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }

    fn choice(&self, stream: &impl anstream::stream::RawStream) -> ColorChoice {
        match self.color {
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
            Color::Auto => AutoStream::choice(stream),
        }
    }
}

/// Prints clap's own message; help and version are results, everything else is a usage error.
pub fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { super::USAGE } else { 0 })
}

/// Returns a new temporary folder that stays after the program: what the demo makes is there to be looked at.
pub fn kept_temporary_folder() -> Result<PathBuf> {
    let folder = tempfile::Builder::new().prefix("skillgraft-demo-").tempdir();
    folder.map(tempfile::TempDir::keep).context(ErrorKind::Io, || "no temporary folder can be made")
}

/// Asks for a line on the terminal; none where there is no terminal.
pub fn ask(question: &str) -> Result<Option<String>> {
    can_ask().then(|| answer(question)).transpose()
}

/// Asks a question on the terminal.
///
/// # Errors
/// Where there is no terminal to ask on.
pub fn agree(question: &str) -> Result<bool> {
    if !can_ask() {
        return Err(Error::new(ErrorKind::Usage, format!("{question}: nobody can be asked without a terminal"))
            .hint("to go ahead, add --yes"));
    }
    Ok(matches!(answer(&format!("{question}. Go ahead? [y/N]"))?.as_str(), "y" | "Y" | "yes"))
}

/// Whether a person is being asked. Nothing is half written then, so that the first ^C ends the program at once.
pub static ASKING: AtomicBool = AtomicBool::new(false);

fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn answer(question: &str) -> Result<String> {
    use std::io::BufRead as _;
    let mut answer = String::new();
    ASKING.store(true, Ordering::Relaxed);
    let asked = write!(std::io::stderr(), "{question} ").and_then(|()| std::io::stdin().lock().read_line(&mut answer));
    ASKING.store(false, Ordering::Relaxed);
    asked.context(ErrorKind::Io, || "cannot ask")?;
    Ok(answer.trim().to_owned())
}
