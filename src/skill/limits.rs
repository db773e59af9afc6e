//! How large a skill may be (`[limits]` in `skillgraft.toml`).

use serde::Deserialize;

/// The most that one skill may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files in a skill.
    pub skill_files: u64,
    /// Bytes in a skill.
    pub skill_bytes: u64,
    /// Bytes in one file.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { skill_files: 512, skill_bytes: 16 << 20, file_bytes: 10 << 20 }
    }
}

/// A size in bytes, written as a number or as `"16 MiB"` (B, KiB, MiB, GiB; KB, MB and GB count in thousands).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSize(pub u64);

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "write a number of bytes or, for example, \"16 MiB\"")]
        enum Written {
            Number(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(bytes) => Ok(ByteSize(bytes)),
            Written::Text(text) => parse_size(&text).map(ByteSize).ok_or_else(|| {
                serde::de::Error::custom(format!(
                    "`{text}` is not a size; write a number of bytes or, for example, \"16 MiB\""
                ))
            }),
        }
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// Returns a number of bytes as people read it.
pub fn show_bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(parse_size("16 MiB"), Some(16 << 20));
        assert_eq!(parse_size("10kb"), Some(10_000));
        assert_eq!(parse_size("7"), Some(7));
        assert_eq!(parse_size("-1"), None);
        assert_eq!(parse_size("99999999999 GiB"), None);
    }
}
