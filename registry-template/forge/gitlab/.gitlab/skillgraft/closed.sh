#!/bin/sh
# Before a sync: a merge request that a person closed without merging it withdraws its candidate. The branch is deleted;
# sync then holds the update back until upstream moves on.
#
# It runs in a job of GitLab CI, in a clone whose `origin` may be pushed to, and needs git, curl, jq, and SKILLGRAFT_TOKEN.
set -eu

# A merge request whose closing was dealt with: if the candidate is proposed again, that old closing means nothing.
settled=skillgraft-settled
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# api METHOD PATH: prints the answer. The token goes through standard input, because arguments can be read by everybody.
api() {
    printf 'header = "PRIVATE-TOKEN: %s"\n' "$SKILLGRAFT_TOKEN" |
        curl --silent --show-error --fail-with-body --config - --request "$1" \
            "$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests$2"
}

# is_open BRANCH: somebody may have opened another one for it.
is_open() {
    api GET "?state=opened&source_branch=$1" >"$work/opened" || return 1
    [ "$(jq length "$work/opened")" -gt 0 ]
}

api GET '?state=closed&labels=skillgraft&order_by=updated_at&per_page=100' >"$work/closed"
jq --raw-output --arg settled "$settled" '.[] | select(.source_project_id == .target_project_id)
    | select(.labels | index($settled) | not) | [.iid, .source_branch, .sha] | @tsv' "$work/closed" >"$work/list"
while read -r number branch head; do
    case $branch in
    candidate/?*/?* | */candidate/?*/?*)
        now=$(git ls-remote origin "refs/heads/$branch" | cut -f 1)
        # The candidate has to be the one that the person looked at; git makes sure once more.
        if [ "$now" = "$head" ] && ! is_open "$branch"; then
            git push --quiet --force-with-lease="refs/heads/$branch:$head" origin ":refs/heads/$branch" || {
                failed=1
                continue
            }
            echo "!$number was closed: $branch is withdrawn until upstream moves on"
        fi
        ;;
    esac
    api PUT "/$number?add_labels=$settled" >/dev/null || failed=1
done <"$work/list"
exit "$failed"
