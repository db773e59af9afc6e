//! Progress, on a terminal only and for what takes longer than a moment.

use super::args::Global;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::time::Duration;

/// A line on stderr that says what is being waited for.
pub struct Progress(ProgressBar);

impl Progress {
    /// Returns a line that shows only on a terminal, and where the person wants one.
    pub fn new(global: &Global) -> Self {
        let wanted = std::io::stderr().is_terminal() && !global.no_progress && !global.quiet && !global.json;
        let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}").expect("a fixed template");
        bar.set_style(style);
        bar.enable_steady_tick(Duration::from_millis(100));
        Progress(bar)
    }

    /// Shows what is being waited for.
    pub fn show(&self, what: &str) {
        self.0.set_message(crate::types::escape(what));
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
