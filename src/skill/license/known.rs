//! The licences that are known by their text: what each begins and ends with, and the digest of the words between. One
//! word more, less or another makes it a text that nobody has read.
//!
//! A table of our own, because `spdx`'s detection brings `zstd` and a cache of all 600 texts that has to be unpacked in
//! each run, for files of which nearly all are one of these.

use sha2::{Digest as _, Sha256};

/// The most words before a licence: a title and lines of copyright.
const PREFACE: usize = 40;
/// Words that make a preface more than a title, and a name more than a name.
const TELLING: [&str; 12] = [
    "not",
    "except",
    "unless",
    "only",
    "portions",
    "shall",
    "must",
    "use",
    "commercial",
    "noncommercial",
    "prohibited",
    "requires",
];
/// Where a licence names who grants it: between which words, and the most of them.
const PARTIES: [(&str, &str); 6] = [
    (" is provided by ", " as is "),
    (" as is and ", " disclaims all "),
    (" as is and ", " disclaim all "),
    (" in no event shall ", " be liable "),
    (" neither the name of ", " may be used "),
    (" neither the names of ", " may be used "),
];
const PARTY: usize = 25;

struct Known {
    id: &'static str,
    /// Its beginning; a title of its own may stand some words before.
    title: &'static str,
    /// How many words may stand between title and `start`.
    gap: usize,
    start: &'static str,
    end: &'static str,
    /// What [`digest`] gives for all from `start` to `end`: SPDX's text first, then others that are widely used.
    bodies: &'static [&'static str],
    /// What may follow: its beginning, its possible ends, and the most words of it.
    appendix: (&'static str, &'static [&'static str], usize),
}

const SHORT: Known = Known { id: "", title: "", gap: 0, start: "", end: "", bodies: &[], appendix: ("", &[], 0) };
const DEALINGS: &str =
    "arising from out of or in connection with the software or the use or other dealings in the software";
const BSD: &str = "redistribution and use in source and binary forms with or without modification are permitted provided \
                   that the following conditions are met";
const BSD_END: &str = "out of the use of this software even if advised of the possibility of such damage";
const ISC: &str = "permission to use copy modify and or distribute this software for any purpose with or without fee is \
                   hereby granted";
const ISC_END: &str = "arising out of or in connection with the use or performance of this software";
const APPLY: &str = "how to apply these terms to your new";
const CC_END: &str = "from the legal processes of any jurisdiction or authority";
const CC_NOTICE: (&str, &[&str], usize) = ("creative commons is not a party", &["creativecommons org"], 170);
const END: &str = "end of terms and conditions";

/// By id, as the tests read it.
const KNOWN: [Known; 17] = [
    Known { id: "0BSD", start: ISC, end: ISC_END, bodies: &["c7442002e4cf341540c93f5564f6667d"], ..SHORT },
    Known {
        id: "AGPL-3.0",
        title: "gnu affero general public license version 3 19 november 2007",
        gap: 40,
        start: "preamble the gnu affero general public license is a free copyleft license",
        end: END,
        bodies: &["27eb26448f75d436d6e78dcd1d9da7a1"],
        appendix: (APPLY, &["gnu org licenses"], 370),
    },
    Known {
        id: "Apache-2.0",
        title: "apache license version 2 0 january 2004",
        gap: 8,
        start: "terms and conditions for use reproduction and distribution 1 definitions",
        end: "accepting any such warranty or additional liability",
        bodies: &["b7901703ca7de49fb934ca388db46676", "a921f3d92c9231c2cfb48a554190f0c4"],
        appendix: (
            "end of terms and conditions appendix how to apply the apache license to your work",
            &["permissions and limitations under the license"],
            195,
        ),
    },
    Known {
        id: "BSD-2-Clause",
        start: BSD,
        end: BSD_END,
        bodies: &["e7c81674b1f9599e778b297d42ed8910", "b52789497820612eade60c1f13a80b31"],
        ..SHORT
    },
    Known {
        id: "BSD-3-Clause",
        start: BSD,
        end: BSD_END,
        bodies: &["6f9a71e74a99b2af4325a5c77e7f6f8f", "1a3ab22fe98f6993ed495c81c24c77bb"],
        ..SHORT
    },
    Known {
        id: "BSL-1.0",
        title: "boost software license version 1 0 august 17th 2003",
        gap: 0,
        start: "permission is hereby granted free of charge to any person or organization",
        end: DEALINGS,
        bodies: &["933029f11e5af4e36ba6f386161928ea"],
        ..SHORT
    },
    Known {
        id: "CC-BY-4.0",
        title: "attribution 4 0 international",
        gap: 410,
        start: "creative commons attribution 4 0 international public license by exercising the licensed rights",
        end: CC_END,
        bodies: &["1300b68d2bb10cfe8c3293c27aef0d24", "b239050357aa90bf8837fbf4d79617dc"],
        appendix: CC_NOTICE,
    },
    Known {
        id: "CC-BY-SA-4.0",
        title: "attribution sharealike 4 0 international",
        gap: 410,
        start: "creative commons attribution sharealike 4 0 international public license by exercising the licensed rights",
        end: CC_END,
        bodies: &["21242be62da799d01a3f33132228b7e4", "c44155d183c7aea6e4ce8984e20af09e"],
        appendix: CC_NOTICE,
    },
    Known {
        id: "CC0-1.0",
        title: "cc0 1 0 universal",
        gap: 80,
        start: "statement of purpose the laws of most jurisdictions throughout the world",
        end: "with respect to this cc0 or use of the work",
        bodies: &["bb878d68e2bd11ce5ffb0510fa88413b"],
        ..SHORT
    },
    Known {
        id: "GPL-2.0",
        title: "gnu general public license version 2 june 1991",
        gap: 45,
        start: "preamble the licenses for most software are designed to take away your freedom",
        end: END,
        bodies: &[
            "b2c483c893ae2773b051cc6b34f3b8de",
            "98e760555ff723908d803b23140ebd26",
            "4117719cb969e89ad3c93ce690bb55e9",
        ],
        appendix: (APPLY, &["president of vice", "instead of this license"], 490),
    },
    Known {
        id: "GPL-3.0",
        title: "gnu general public license version 3 29 june 2007",
        gap: 40,
        start: "preamble the gnu general public license is a free copyleft license",
        end: END,
        bodies: &["fad6d14122ae5943ea05f9e4d4819452"],
        appendix: (APPLY, &["why not lgpl html"], 460),
    },
    Known {
        id: "ISC",
        start: ISC,
        end: ISC_END,
        bodies: &["bd1a4eebf5e7632d3150f21e238ebb40", "81ffc25771e7c49054231e888e9f11f9"],
        ..SHORT
    },
    Known {
        id: "LGPL-2.1",
        title: "gnu lesser general public license version 2 1 february 1999",
        gap: 70,
        start: "preamble the licenses for most software are designed to take away your freedom",
        end: END,
        bodies: &["73ac55304afe4c219acdd0cb7683daf4"],
        appendix: (APPLY, &["that s all there is to it"], 350),
    },
    Known {
        id: "LGPL-3.0",
        title: "gnu lesser general public license version 3 29 june 2007",
        gap: 40,
        start: "this version of the gnu lesser general public license incorporates the terms and conditions of version 3",
        end: "is permanent authorization for you to choose that version for the library",
        bodies: &["3c109b32fc12cedb18f514c338498353"],
        appendix: ("gnu general public license version 3 29 june 2007", &["why not lgpl html"], 5720),
    },
    Known {
        id: "MIT",
        start: "permission is hereby granted free of charge to any person obtaining a copy of this software and \
                associated documentation files the software to deal in the software without restriction",
        end: DEALINGS,
        bodies: &["bd82bf3fb433402f670b550b358f2b76"],
        ..SHORT
    },
    Known {
        id: "MPL-2.0",
        title: "mozilla public license version 2 0",
        gap: 0,
        start: "1 definitions 1 1 contributor means",
        end: "incompatible with secondary licenses as defined by the mozilla public license v 2 0",
        bodies: &["c0f855aacb6ac1c86bcdd1334db61014"],
        ..SHORT
    },
    Known {
        id: "Unlicense",
        start: "this is free and unencumbered software released into the public domain",
        end: "for more information please refer to http unlicense org",
        bodies: &["824c4c3197cc483a228c3e2560a3bece"],
        ..SHORT
    },
];

/// How people write a licence who do not write its id.
const NAMES: [(&str, &str); 12] = [
    ("agplv3", "AGPL-3.0"),
    ("apache 2", "Apache-2.0"),
    ("apache license 2 0", "Apache-2.0"),
    ("apache license version 2 0", "Apache-2.0"),
    ("apache version 2 0", "Apache-2.0"),
    ("boost software license 1 0", "BSL-1.0"),
    ("cc0", "CC0-1.0"),
    ("creative commons attribution 4 0 international", "CC-BY-4.0"),
    ("gplv2", "GPL-2.0"),
    ("gplv3", "GPL-3.0"),
    ("mozilla public license 2 0", "MPL-2.0"),
    ("mpl 2", "MPL-2.0"),
];

/// Returns the words of a text, lowercase, with one space between them, in one spelling.
pub(super) fn words(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase);
    let words = words.map(|word| match word.as_str() {
        "licence" => "license".to_owned(),
        "https" => "http".to_owned(),
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ").replace("non infringement", "noninfringement")
}

/// Returns the id of the licence that a statement names, in whatever case and punctuation.
pub(super) fn by_name(statement: &str) -> Option<&'static str> {
    let said = words(statement);
    let said = said.strip_prefix("the ").unwrap_or(&said);
    let short = said.strip_suffix(" license").unwrap_or(said);
    let by_id = KNOWN.iter().map(|known| known.id).find(|id| words(id) == short);
    by_id.or_else(|| NAMES.iter().find(|(name, _)| [said, short].contains(name)).map(|(_, id)| *id))
}

/// Returns the id of the licence that a text is.
pub(super) fn by_text(text: &str) -> Option<&'static str> {
    let text = words(text);
    KNOWN.iter().find(|known| known.is(&text)).map(|known| known.id)
}

impl Known {
    fn is(&self, text: &str) -> bool {
        let Some(start) = text.find(self.start) else { return false };
        let Some(length) = text[start..].find(self.end).map(|at| at + self.end.len()) else { return false };
        let (before, body, after) = (&text[..start], &text[start..start + length], text[start + length..].trim());
        self.may_precede(before) && self.may_follow(after) && self.bodies.contains(&digest(body).as_str())
    }

    fn may_precede(&self, before: &str) -> bool {
        let Some(title) = before.find(self.title) else { return false };
        let (preface, gap) =
            if self.title.is_empty() { (before, "") } else { (&before[..title], &before[title + self.title.len()..]) };
        count(gap) <= self.gap && count(preface) <= PREFACE && !is_telling(preface)
    }

    fn may_follow(&self, after: &str) -> bool {
        let (begin, ends, most) = self.appendix;
        let after = if self.end == END { after } else { after.strip_suffix(END).unwrap_or(after) };
        let ends_well = ends.iter().any(|end| after.ends_with(end));
        after.is_empty() || after.starts_with(begin) && ends_well && count(after) <= most
    }
}

/// Returns the beginning of the SHA-256 of a licence's words, whoever it names as the one who grants it.
fn digest(body: &str) -> String {
    let mut body = body.to_owned();
    for (before, after) in PARTIES {
        let Some(at) = body.find(before).map(|at| at + before.len()) else { continue };
        let party = body[at..].find(after).map(|length| at..at + length);
        if let Some(party) =
            party.filter(|party| count(&body[party.clone()]) <= PARTY && !is_telling(&body[party.clone()]))
        {
            body.replace_range(party, "");
        }
    }
    Sha256::digest(body)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_telling(text: &str) -> bool {
    text.split(' ').any(|word| TELLING.contains(&word))
}

fn count(text: &str) -> usize {
    text.split(' ').filter(|word| !word.is_empty()).count()
}

#[cfg(test)]
pub(super) fn ids() -> Vec<&'static str> {
    KNOWN.iter().map(|known| known.id).collect()
}
