//! The report of a sync, with the questions that scenarios ask.

use serde_json::Value;

/// A sync's report and exit code.
#[derive(Debug)]
pub struct Synced {
    /// The exit code.
    pub code: i32,
    /// The document.
    pub json: Value,
}

impl Synced {
    /// Returns the report of a source.
    #[track_caller]
    pub fn source(&self, name: &str) -> &Value {
        let mut sources = self.json["sources"].as_array().unwrap().iter();
        sources.find(|source| source["name"] == name).unwrap_or_else(|| panic!("no source {name}: {:#}", self.json))
    }

    /// Returns the report of a skill.
    #[track_caller]
    pub fn skill(&self, id: &str) -> &Value {
        let sources = self.json["sources"].as_array().unwrap().iter();
        let mut skills = sources.flat_map(|source| source["skills"].as_array().unwrap());
        skills.find(|skill| skill["id"] == id).unwrap_or_else(|| panic!("no skill {id}: {:#}", self.json))
    }

    /// Returns a skill's class.
    #[track_caller]
    pub fn class(&self, id: &str) -> &str {
        self.skill(id)["class"].as_str().unwrap_or_else(|| panic!("{id} has no class: {:#}", self.json))
    }

    /// Returns what was done with a skill's candidate; empty where there is none.
    #[track_caller]
    pub fn action(&self, id: &str) -> &str {
        self.skill(id)["candidate"]["action"].as_str().unwrap_or_default()
    }

    /// Returns a skill's conflicts as `path kind`.
    #[track_caller]
    pub fn conflicts(&self, id: &str) -> Vec<String> {
        let conflicts = self.skill(id)["candidate"]["conflicts"].as_array().unwrap().iter();
        conflicts.map(|c| format!("{} {}", c["path"].as_str().unwrap(), c["kind"].as_str().unwrap())).collect()
    }

    /// Returns the reasons for which skills of a source were rejected, as `path reason`.
    #[track_caller]
    pub fn rejected(&self, source: &str) -> Vec<String> {
        remarks(&self.source(source)["rejected"])
    }
}

/// Returns remarks as `path reason`.
pub fn remarks(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|r| format!("{} {}", r["path"].as_str().unwrap(), r["reason"].as_str().unwrap())).collect()
}
