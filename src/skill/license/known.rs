//! The licences that are known by their text: what each begins and ends with, and how many words stand between.
//!
//! A table of our own, because `spdx`'s detection brings `zstd` and a cache of all 600 texts that has to be unpacked in
//! each run, for files of which nearly all are one of these.

use std::ops::RangeInclusive;

/// The most words before a licence: a title and lines of copyright.
const PREFACE: usize = 40;
/// The most words after one.
const AFTERWORD: usize = 3;
/// Words that make a preface more than a title.
const TELLING: [&str; 6] = ["not", "except", "unless", "only", "portions", "shall"];

struct Known {
    id: &'static str,
    /// Its beginning; a title of its own may stand some words before.
    title: &'static str,
    /// How many words may stand between title and `start`.
    gap: usize,
    start: &'static str,
    end: &'static str,
    /// How many words there are from `start` to `end`, both included.
    words: RangeInclusive<usize>,
    /// What it also says.
    says: &'static [&'static str],
    /// Words of its siblings, which it has not.
    never: &'static [&'static str],
    /// What may follow: its beginning, its possible ends, and the most words of it.
    appendix: (&'static str, &'static [&'static str], usize),
}

const SHORT: Known = Known {
    id: "",
    title: "",
    gap: 0,
    start: "",
    end: "",
    words: 0..=0,
    says: &[],
    never: &[],
    appendix: ("", &[], 0),
};
const DEALINGS: &str =
    "arising from out of or in connection with the software or the use or other dealings in the software";
const BSD: &str = "redistribution and use in source and binary forms with or without modification are permitted provided \
                   that the following conditions are met";
const BSD_END: &str = "out of the use of this software even if advised of the possibility of such damage";
const BSD_SOURCE: &str = "redistributions of source code must retain the above copyright notice this list of conditions and \
                          the following disclaimer";
const BSD_BINARY: &str = "redistributions in binary form must reproduce the above copyright notice this list of \
                          conditions and the following disclaimer in the documentation";
const BSD_DISCLAIMED: &str = "merchantability and fitness for a particular purpose are disclaimed in no event shall";
const ISC: &str = "permission to use copy modify and or distribute this software for any purpose with or without fee is \
                   hereby granted";
const ISC_END: &str = "arising out of or in connection with the use or performance of this software";
const APPLY: &str = "how to apply these terms to your new";
const CC_END: &str = "from the legal processes of any jurisdiction or authority";
const CC_NOTICE: (&str, &[&str], usize) = ("creative commons is not a party", &["creativecommons org"], 170);
const END: &str = "end of terms and conditions";

/// By id, as the tests read it.
const KNOWN: [Known; 17] = [
    Known { id: "0BSD", start: ISC, end: ISC_END, words: 95..=99, ..SHORT },
    Known {
        id: "AGPL-3.0",
        title: "gnu affero general public license version 3 19 november 2007",
        gap: 40,
        start: "preamble the gnu affero general public license is a free copyleft license",
        end: END,
        words: 5150..=5180,
        appendix: (APPLY, &["gnu org licenses"], 370),
        ..SHORT
    },
    Known {
        id: "Apache-2.0",
        title: "apache license version 2 0 january 2004",
        gap: 8,
        start: "terms and conditions for use reproduction and distribution 1 definitions",
        end: "accepting any such warranty or additional liability",
        words: 1405..=1415,
        appendix: (
            "end of terms and conditions appendix how to apply the apache license to your work",
            &["permissions and limitations under the license"],
            195,
        ),
        ..SHORT
    },
    Known {
        id: "BSD-2-Clause",
        start: BSD,
        end: BSD_END,
        words: 183..=187,
        says: &[BSD_SOURCE, BSD_BINARY, BSD_DISCLAIMED],
        never: &["unmodified", "immediately", "unchanged", "patent", "nuclear", "advertising"],
        ..SHORT
    },
    Known {
        id: "BSD-3-Clause",
        start: BSD,
        end: BSD_END,
        words: 210..=230,
        says: &[
            BSD_SOURCE,
            BSD_BINARY,
            BSD_DISCLAIMED,
            "neither the name",
            "without specific prior written permission",
        ],
        never: &["unmodified", "immediately", "unchanged", "patent", "nuclear", "advertising"],
        ..SHORT
    },
    Known {
        id: "BSL-1.0",
        title: "boost software license version 1 0 august 17th 2003",
        gap: 0,
        start: "permission is hereby granted free of charge to any person or organization",
        end: DEALINGS,
        words: 200..=206,
        ..SHORT
    },
    Known {
        id: "CC-BY-4.0",
        title: "attribution 4 0 international",
        gap: 410,
        start: "creative commons attribution 4 0 international public license by exercising the licensed rights",
        end: CC_END,
        words: 2045..=2065,
        appendix: CC_NOTICE,
        ..SHORT
    },
    Known {
        id: "CC-BY-SA-4.0",
        title: "attribution sharealike 4 0 international",
        gap: 410,
        start: "creative commons attribution sharealike 4 0 international public license by exercising the licensed rights",
        end: CC_END,
        words: 2245..=2270,
        appendix: CC_NOTICE,
        ..SHORT
    },
    Known {
        id: "CC0-1.0",
        title: "cc0 1 0 universal",
        gap: 80,
        start: "statement of purpose the laws of most jurisdictions throughout the world",
        end: "with respect to this cc0 or use of the work",
        words: 1003..=1013,
        ..SHORT
    },
    Known {
        id: "GPL-2.0",
        title: "gnu general public license version 2 june 1991",
        gap: 45,
        start: "preamble the licenses for most software are designed to take away your freedom",
        end: END,
        words: 2450..=2470,
        appendix: (APPLY, &["president of vice", "instead of this license"], 490),
        ..SHORT
    },
    Known {
        id: "GPL-3.0",
        title: "gnu general public license version 3 29 june 2007",
        gap: 40,
        start: "preamble the gnu general public license is a free copyleft license",
        end: END,
        words: 5195..=5215,
        appendix: (APPLY, &["why not lgpl html"], 460),
        ..SHORT
    },
    Known {
        id: "ISC",
        start: ISC,
        end: ISC_END,
        words: 108..=114,
        says: &["provided that the above copyright notice and this permission notice appear in all copies"],
        ..SHORT
    },
    Known {
        id: "LGPL-2.1",
        title: "gnu lesser general public license version 2 1 february 1999",
        gap: 70,
        start: "preamble the licenses for most software are designed to take away your freedom",
        end: END,
        words: 3985..=4005,
        appendix: (APPLY, &["that s all there is to it"], 350),
        ..SHORT
    },
    Known {
        id: "LGPL-3.0",
        title: "gnu lesser general public license version 3 29 june 2007",
        gap: 40,
        start: "this version of the gnu lesser general public license incorporates the terms and conditions of version 3",
        end: "is permanent authorization for you to choose that version for the library",
        words: 1190..=1215,
        appendix: ("gnu general public license version 3 29 june 2007", &["why not lgpl html"], 5720),
        ..SHORT
    },
    Known {
        id: "MIT",
        start: "permission is hereby granted free of charge to any person obtaining a copy of this software and \
                associated documentation files the software to deal in the software without restriction",
        end: DEALINGS,
        words: 162..=164,
        says: &["the above copyright notice and this permission notice", "without warranty of any kind"],
        ..SHORT
    },
    Known {
        id: "MPL-2.0",
        title: "mozilla public license version 2 0",
        gap: 0,
        start: "1 definitions 1 1 contributor means",
        end: "incompatible with secondary licenses as defined by the mozilla public license v 2 0",
        words: 2410..=2430,
        ..SHORT
    },
    Known {
        id: "Unlicense",
        start: "this is free and unencumbered software released into the public domain",
        end: "for more information please refer to http unlicense org",
        words: 197..=203,
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
        self.words.contains(&count(body))
            && self.says.iter().all(|said| body.contains(said))
            && !body.split(' ').any(|word| self.never.contains(&word))
            && self.may_precede(before)
            && self.may_follow(after)
    }

    fn may_precede(&self, before: &str) -> bool {
        let Some(title) = before.find(self.title) else { return false };
        let (preface, gap) =
            if self.title.is_empty() { (before, "") } else { (&before[..title], &before[title + self.title.len()..]) };
        count(gap) <= self.gap && count(preface) <= PREFACE && !preface.split(' ').any(|word| TELLING.contains(&word))
    }

    fn may_follow(&self, after: &str) -> bool {
        let (begin, ends, most) = self.appendix;
        let after = if self.end == END { after } else { after.strip_suffix(END).unwrap_or(after) };
        let ends_well = ends.iter().any(|end| after.ends_with(end));
        count(after) <= AFTERWORD || after.starts_with(begin) && ends_well && count(after) <= most
    }
}

fn count(text: &str) -> usize {
    text.split(' ').filter(|word| !word.is_empty()).count()
}

#[cfg(test)]
pub(super) fn ids() -> Vec<&'static str> {
    KNOWN.iter().map(|known| known.id).collect()
}
