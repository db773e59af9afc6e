//! Names of skills whose own are taken, and whose skills may be overwritten.

use crate::types::SkillId;

/// Returns the names to try for a skill whose own is taken: `deploy-2`, `deploy-3`, ...: as much of the name as leaves room for the number.
pub fn names_like(id: &SkillId) -> impl Iterator<Item = SkillId> {
    let namespace = id.as_str().strip_suffix(id.name()).unwrap_or_default().trim_end_matches('/').to_owned();
    let name = id.name().to_owned();
    (2u64..).filter_map(move |number| {
        let end = format!("-{number}");
        let stem = name[..name.len().min(64 - end.len())].trim_end_matches('-');
        SkillId::in_namespace(&namespace, &format!("{stem}{end}")).ok()
    })
}

/// Tells whether the person with this address may overwrite. Advisory: a skill without owners is anybody's. An owner is written as an address, or as `Name <address>`.
pub fn is_owner(owners: &[String], email: Option<&str>) -> bool {
    let address = |owner: &str| email_of(owner).unwrap_or_else(|| owner.trim().to_owned());
    owners.is_empty()
        || email.is_some_and(|email| owners.iter().any(|owner| address(owner).eq_ignore_ascii_case(email)))
}

/// Returns the address of `Name <address>`.
pub fn email_of(person: &str) -> Option<String> {
    Some(person.rsplit_once('<')?.1.split('>').next()?.trim().to_owned()).filter(|email| !email.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_names_are_ids_of_the_same_namespace_and_fit() {
        let first = |id: &str| names_like(&SkillId::parse(id).expect("valid")).next().expect("endless").to_string();
        assert_eq!(first("deploy"), "deploy-2");
        assert_eq!(first("acme/ops"), "acme/ops-2");
        assert_eq!(first(&"a".repeat(64)), format!("{}-2", "a".repeat(62)));
    }

    #[test]
    fn an_owner_is_known_by_the_address() {
        let owners = |list: &[&str]| list.iter().map(|owner| (*owner).to_owned()).collect::<Vec<_>>();
        let pat = Some("pat@example.com");
        assert!(is_owner(&[], None) && is_owner(&owners(&["x@y", "Pat <PAT@example.com>"]), pat));
        assert!(is_owner(&owners(&["pat@example.com"]), pat));
        assert!(!is_owner(&owners(&["ops@example.com"]), pat) && !is_owner(&owners(&["pat"]), None));
    }
}
