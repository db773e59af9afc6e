#!/bin/sh
# Pull requests for skillgraft's candidates, on GitHub and on Forgejo or Gitea.
#
#   pull-requests.sh withdraw   before a sync: a pull request that a person closed without merging it withdraws its
#                               candidate. The branch is deleted; sync then holds the update back until upstream moves on
#   pull-requests.sh update     after a sync: one pull request for each candidate, with its text, its labels and a status
#
# Only pull requests with the label `skillgraft`, or with the mark that this script puts into the text, are touched.
# It runs in a clone whose `origin` may be pushed to, and needs git, jq, skillgraft, and gh (GitHub) or curl (Forgejo).
#
#   FORGE                github or forgejo
#   REPOSITORY           owner/name
#   GH_TOKEN             (GitHub) the token, which gh reads by itself
#   FORGE_URL            (Forgejo) the server, for example https://git.example.com
#   FORGE_TOKEN          (Forgejo) the token
#   SKILLGRAFT_DIR       the registry's folder in the repository; "." where it is all of it
#   SKILLGRAFT_MAX_OPEN  how many pull requests may be open at once; 20 where it is not set
set -eu

ours=skillgraft
conflict=conflict
# A pull request whose closing was dealt with: if the candidate is proposed again, that old closing means nothing.
settled=skillgraft-settled
mark='<!-- skillgraft -->'
# What jq says of a pull request that may be touched.
touchable="(.head.repo.full_name? // \"\") == \"$REPOSITORY\" and
    (any(.labels[]?; .name == \"$ours\") or ((.body // \"\") | contains(\"$mark\")))"

cd "${SKILLGRAFT_DIR:-.}"
work=$(mktemp -d)
trap 'rm -rf "$work"; git worktree prune' EXIT
failed=0

say() {
    printf '%s\n' "$*"
    [ -z "${GITHUB_STEP_SUMMARY:-}" ] || printf '%s\n\n' "$*" >>"$GITHUB_STEP_SUMMARY"
}

# ask METHOD PATH [JSON]
ask() {
    case $FORGE in
    github)
        if [ $# -eq 3 ]; then
            printf '%s' "$3" | gh api --method "$1" "repos/$REPOSITORY/$2" --input -
        else
            gh api --method "$1" "repos/$REPOSITORY/$2"
        fi
        ;;
    forgejo)
        printf '%s' "${3-}" >"$work/body"
        # The token goes through standard input: arguments can be read by everybody on the machine.
        {
            printf 'header = "Authorization: token %s"\n' "$FORGE_TOKEN"
            [ $# -lt 3 ] || printf 'header = "Content-Type: application/json"\ndata-binary = "@%s"\n' "$work/body"
        } | curl --silent --show-error --fail-with-body --config - --request "$1" \
            "$FORGE_URL/api/v1/repos/$REPOSITORY/$2"
        ;;
    esac
}

# api METHOD PATH [JSON]: prints the forge's answer.
api() {
    if ask "$@" >"$work/answer"; then
        cat "$work/answer"
    else
        printf '%s %s failed: ' "$1" "$2" >&2
        cat "$work/answer" >&2
        echo >&2
        return 1
    fi
}

# pages PATH: prints a whole list.
pages() {
    page=1
    : >"$work/pages"
    while :; do
        api GET "$1&per_page=50&limit=50&page=$page" >"$work/page" || return 1
        [ "$(jq length "$work/page")" -gt 0 ] || break
        cat "$work/page" >>"$work/pages"
        page=$((page + 1))
    done
    jq --slurp 'add // []' "$work/pages"
}

# is_candidate BRANCH: whatever label somebody gives to other branches, they are not ours.
is_candidate() {
    case $1 in
    candidate/?*/?* | */candidate/?*/?*) return 0 ;;
    *) return 1 ;;
    esac
}

# label_id NAME: makes the label where it is missing, and prints what the forge calls it.
label_id() {
    [ -s "$work/labels" ] || pages 'labels?' >"$work/labels" || return 1
    if ! jq --exit-status --arg name "$1" 'any(.[]; .name == $name)' "$work/labels" >/dev/null; then
        case $1 in
        "$ours") color=0e8a16 about='An upstream update of a skill' ;;
        "$conflict") color=d93f0b about='Something for a person to decide' ;;
        *) color=c5def5 about='Closed, and taken note of' ;;
        esac
        [ "$FORGE" = github ] || color="#$color"
        new=$(jq --null-input --arg name "$1" --arg color "$color" --arg about "$about" \
            '{name: $name, color: $color, description: $about}')
        api POST labels "$new" >"$work/label" || return 1
        jq --slurp '.[0] + [.[1]]' "$work/labels" "$work/label" >"$work/more" && mv "$work/more" "$work/labels"
    fi
    if [ "$FORGE" = github ]; then
        printf '%s' "$1"
    else
        jq --raw-output --arg name "$1" 'first(.[] | select(.name == $name)) | .id' "$work/labels"
    fi
}

# add_label NUMBER NAME
add_label() {
    id=$(label_id "$2") || return 1
    if [ "$FORGE" = github ]; then id="\"$id\""; fi
    api POST "issues/$1/labels" "{\"labels\": [$id]}" >/dev/null
}

# remove_label NUMBER NAME
remove_label() {
    id=$(label_id "$2") || return 1
    api DELETE "issues/$1/labels/$id" >/dev/null
}

# has_label NUMBER NAME: among the open ones.
has_label() {
    jq --exit-status --argjson number "$1" --arg name "$2" \
        'any(.[] | select(.number == $number) | .labels[]?; .name == $name)' "$work/open" >/dev/null
}

withdraw() {
    pages 'pulls?state=open' >"$work/open"
    case $FORGE in
    github) recent='sort=updated&direction=desc&per_page=100' ;;
    *) recent='sort=recentupdate&limit=50' ;;
    esac
    api GET "pulls?state=closed&$recent" >"$work/closed"
    jq --raw-output --arg settled "$settled" ".[] | select($touchable) | select(.merged_at == null)
        | select(any(.labels[]?; .name == \$settled) | not) | [.number, .head.ref, .head.sha] | @tsv" \
        "$work/closed" >"$work/list"
    while read -r number branch head; do
        if is_candidate "$branch" && ! jq --exit-status --arg branch "$branch" \
            'any(.[]; .head.ref == $branch)' "$work/open" >/dev/null; then
            now=$(git ls-remote origin "refs/heads/$branch" | cut -f 1)
            # The candidate has to be the one that the person looked at; git makes sure once more.
            if [ "$now" = "$head" ]; then
                if git push --quiet --force-with-lease="refs/heads/$branch:$head" origin ":refs/heads/$branch"; then
                    say "#$number was closed: $branch is withdrawn until upstream moves on"
                else
                    failed=1
                    continue
                fi
            fi
        fi
        add_label "$number" "$settled" || failed=1
    done <"$work/list"
}

# wanted BRANCH: what its pull request has to say.
wanted() {
    skillgraft --json candidate show "$1" >"$work/show" || return 1
    jq --arg head "$1" --arg base "$base" --arg mark "$mark" \
        '{head: $head, base: $base, title: .pull_request.title, body: (.pull_request.body + "\n" + $mark + "\n")}' \
        "$work/show" >"$work/wanted"
}

# open_one BRANCH
open_one() {
    wanted "$1" || return 1
    api POST pulls "$(cat "$work/wanted")" >"$work/pull" || return 1
    number=$(jq .number "$work/pull")
    jq --slurp '.[0] + [.[1]]' "$work/open" "$work/pull" >"$work/more" && mv "$work/more" "$work/open"
    say "#$number opened for $1"
}

# edit_one BRANCH NUMBER: only where the text is another one.
edit_one() {
    wanted "$1" || return 1
    same=$(jq --slurpfile wanted "$work/wanted" --argjson number "$2" '
        def plain: (. // "") | gsub("\r"; "") | sub("\\s+$"; "");
        .[] | select(.number == $number)
            | .title == $wanted[0].title and (.body | plain) == ($wanted[0].body | plain)' "$work/open") || return 1
    [ "$same" = true ] || {
        api PATCH "pulls/$2" "$(jq '{title, body}' "$work/wanted")" >/dev/null || return 1
        say "#$2 has a new text"
    }
}

# label_one NUMBER
label_one() {
    has_label "$1" "$ours" || add_label "$1" "$ours" || return 1
    if [ "$(jq '.conflicts | length' "$work/show")" -gt 0 ]; then
        has_label "$1" "$conflict" || add_label "$1" "$conflict"
    elif has_label "$1" "$conflict"; then
        remove_label "$1" "$conflict"
    fi
}

# status_one COMMIT: runs `skillgraft check` on it. Pull requests that are made with a forge's built-in token start no
# workflow, so this is the check that they get. Nothing of the commit is checked out but the registry's settings.
status_one() {
    api GET "commits/$1/statuses?per_page=100&limit=50" >"$work/statuses" || return 1
    ! jq --exit-status 'any(.[]; .context == "skillgraft/check")' "$work/statuses" >/dev/null || return 0
    git worktree add --quiet --no-checkout --detach "$work/check" "$1" || return 1
    registry=$work/check/$(git rev-parse --show-prefix)
    mkdir -p "$registry" && git show "$1:./skillgraft.toml" >"$registry/skillgraft.toml" || return 1
    code=0
    skillgraft -C "$registry" --json check >"$work/findings" || code=$?
    git worktree remove --force "$work/check" || return 1
    jq --argjson code "$code" '
        def many($one): "\(.) \($one)\(if . == 1 then "" else "s" end)";
        def found($severity): [.findings[] | select(.severity == $severity)] | length;
        {context: "skillgraft/check"} +
        if .findings == null then {state: "error", description: (.error.message // "check failed")[:140]}
        else {state: (if $code == 0 then "success" else "failure" end),
              description: "\(.skills | many("skill")): \(found("error") | many("error")), \(found("warning") | many("warning"))"}
        end' "$work/findings" >"$work/status" || return 1
    api POST "statuses/$1" "$(cat "$work/status")" >/dev/null
}

# close_one NUMBER BRANCH
close_one() {
    api POST "issues/$1/comments" '{"body": "The branch is gone: there is nothing left to propose."}' >/dev/null || return 1
    api PATCH "pulls/$1" '{"state": "closed"}' >/dev/null || return 1
    say "#$1 closed: $2 is gone"
    add_label "$1" "$settled"
}

update() {
    git fetch --quiet --prune origin '+refs/heads/*:refs/remotes/origin/*'
    git merge --quiet --ff-only "refs/remotes/origin/$(git symbolic-ref --short HEAD)"
    base=$(skillgraft --json status | jq --raw-output .branch)
    pages 'pulls?state=open' >"$work/open"

    open=0
    jq --raw-output ".[] | select($touchable) | [.number, .head.ref] | @tsv" "$work/open" >"$work/list"
    while read -r number branch; do
        is_candidate "$branch" || continue
        if git show-ref --verify --quiet "refs/remotes/origin/$branch"; then
            open=$((open + 1))
        else
            close_one "$number" "$branch" || failed=1
        fi
    done <"$work/list"

    # The oldest first; those that sync will delete at its next run are not worth a pull request.
    skillgraft --json candidate list >"$work/candidates"
    jq --raw-output '.candidates[] | select((.state // "") | IN("accepted", "reverted", "declined") | not) | .branch' \
        "$work/candidates" >"$work/branches"
    git for-each-ref --sort=committerdate --format='%(refname:lstrip=3)' refs/remotes/origin >"$work/refs"
    grep -Fxf "$work/branches" "$work/refs" >"$work/list" || true
    waiting=0
    while read -r branch; do
        number=$(jq --arg branch "$branch" --arg repository "$REPOSITORY" \
            'first(.[] | select(.head.ref == $branch and .head.repo.full_name? == $repository) | .number)' "$work/open")
        if [ -z "$number" ]; then
            if [ "$open" -ge "${SKILLGRAFT_MAX_OPEN:-20}" ]; then
                waiting=$((waiting + 1))
                continue
            fi
            open_one "$branch" || { failed=1; continue; }
            open=$((open + 1))
        elif jq --exit-status --argjson number "$number" "any(.[]; .number == \$number and ($touchable))" \
            "$work/open" >/dev/null; then
            edit_one "$branch" "$number" || { failed=1; continue; }
        else
            say "#$number, on $branch, is somebody's own: it is left alone"
            continue
        fi
        label_one "$number" || failed=1
        status_one "$(git rev-parse "refs/remotes/origin/$branch")" || failed=1
    done <"$work/list"
    if [ "$waiting" -gt 0 ]; then
        say "$waiting more wait: at most ${SKILLGRAFT_MAX_OPEN:-20} pull requests are open at once (SKILLGRAFT_MAX_OPEN)"
    fi
}

case "${1-}" in
withdraw) withdraw ;;
update) update ;;
*)
    echo 'usage: pull-requests.sh withdraw|update' >&2
    exit 2
    ;;
esac
exit "$failed"
