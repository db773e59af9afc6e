//! A pause, of a source or a skill, and the days that it names.

use crate::types::one_line;
use jiff::civil::Date;
use serde::Deserialize;

/// Who paused something, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Paused {
    /// Who.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The first day.
    pub since: Option<Day>,
    /// The last day.
    pub until: Option<Day>,
}

impl Paused {
    /// Tells whether it holds on the day `today`: `until` is its last day.
    pub fn holds_on(&self, today: Date) -> bool {
        self.until.is_none_or(|until| until.holds_on(today))
    }

    /// Returns who, since and until when, and why, on one line and escaped; empty where nothing of it is known.
    pub fn words(&self) -> String {
        let name = self.by.as_deref().and_then(|by| by.split(" <").next());
        let by = name.map_or(String::new(), |by| format!(" by {}", one_line(by, 60)));
        let since = self.since.map_or(String::new(), |day| format!(" since {}", day.0));
        let until = self.until.map_or(String::new(), |day| format!(" until {}", day.0));
        let why = self.reason.as_ref().map_or(String::new(), |why| format!(": {}", one_line(why, 200)));
        format!("{by}{since}{until}{why}").trim_start_matches([' ', ':']).to_owned()
    }
}

/// A date in TOML: `2026-11-20`, bare or quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub Date);

impl Day {
    /// Tells whether what lasts until this day, the last one, holds on the day `today`.
    pub fn holds_on(self, today: Date) -> bool {
        today <= self.0
    }
}

impl serde::Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "write a day as YYYY-MM-DD, for example 2026-11-20")]
        enum Written {
            Bare(toml::value::Datetime),
            Quoted(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Bare(date) => date.to_string(),
            Written::Quoted(text) => text,
        };
        text.get(..10).unwrap_or(&text).parse().map(Day).map_err(|_| {
            serde::de::Error::custom(format!("`{text}` is not a day; write it as YYYY-MM-DD, for example 2026-11-20"))
        })
    }
}

/// Returns a date as TOML writes it, bare.
pub(super) fn date_item(date: Date) -> toml_edit::Item {
    let date = toml_edit::Date {
        year: date.year().unsigned_abs(),
        month: date.month().unsigned_abs(),
        day: date.day().unsigned_abs(),
    };
    toml_edit::value(toml_edit::Datetime { date: Some(date), time: None, offset: None })
}
