#!/bin/sh
# A forge on disk. As `gh` and as `curl` it answers what the templates ask of GitHub's, Forgejo's and GitLab's interfaces,
# from FORGE_STATE/state.json and the bare repository FORGE_REMOTE, and writes each call into FORGE_STATE/calls. As `cargo` it
# installs the program under test, as `apt-get` nothing.
# shellcheck disable=SC2016 # jq has variables of its own
set -eu
state=$FORGE_STATE/state.json
[ -s "$state" ] || echo '{"pulls": [], "labels": [], "comments": [], "statuses": []}' >"$state"
input=
number=

refuse() { # STATUS WORDS
    printf '{"message": "%s"}' "$2"
    echo "the forge says $1: $2" >&2
    exit 22
}

change() { # [JQ OPTIONS] FILTER: changes the state.
    jq "$@" "$state" >"$state.new" && mv "$state.new" "$state"
}

# A forge sees what is pushed: heads move, what is on main is merged, and GitHub closes what has lost its branch.
look() {
    git -C "$FORGE_REMOTE" for-each-ref --format='%(refname:lstrip=2) %(objectname)' refs/heads >"$FORGE_STATE/heads"
    git -C "$FORGE_REMOTE" rev-list main >"$FORGE_STATE/merged"
    change --rawfile heads "$FORGE_STATE/heads" --rawfile merged "$FORGE_STATE/merged" \
        --argjson closes "$([ -e "$FORGE_STATE/keeps-open" ] && echo false || echo true)" '
        ($heads | split("\n") | map(split(" ") | select(length == 2) | {(.[0]): .[1]}) | add) as $heads
        | ($merged | split("\n")) as $merged
        | .pulls |= map(if .state != "open" then . else .head.sha = ($heads[.head.ref] // .head.sha)
            | if .head.sha | IN($merged[]) then . + {state: "closed", merged_at: "2026"}
              elif $heads[.head.ref] == null and $closes then .state = "closed" else . end end)'
}

case ${0##*/} in
apt-get) exit 0 ;;
cargo)
    [ "$1 $2 $3" = 'install --locked --root' ] && [ "$5" = "skillgraft@$FORGE_EXPECTS" ] || refuse 1 "cargo $*"
    if [ -n "${GH_TOKEN:-}${FORGE_TOKEN:-}${SKILLGRAFT_TOKEN:-}" ] || [ -n "${CI_JOB_TOKEN:-}" ]; then refuse 1 'a token'; fi
    mkdir -p "$4/bin" && ln -sf "$FORGE_PROGRAM" "$4/bin/skillgraft"
    exit 0
    ;;
gh)
    [ "$1 $2" = 'api --method' ] && [ "$GH_TOKEN" = s3cret ] || refuse 401 "gh $*"
    method=$3 path=${4#repos/acme/skills/}
    [ "$path" != "$4" ] || refuse 404 "$4"
    if [ $# -eq 6 ] && [ "$5 $6" = '--input -' ]; then input=$(cat); fi
    ;;
curl)
    cat >"$FORGE_STATE/config"
    case "$*" in *s3cret*) refuse 401 'the token is an argument' ;; esac
    grep -q '^header = "\(Authorization: token\|PRIVATE-TOKEN:\) s3cret"$' "$FORGE_STATE/config" || refuse 401 token
    [ "$1 $2 $3 $4 $5 $6" = '--silent --show-error --fail-with-body --config - --request' ] || refuse 1 "curl $*"
    method=$7 path=${8#http://forge.test/api/v1/repos/acme/skills/}
    path=${path#http://forge.test/api/v4/projects/7/}
    [ "$path" != "$8" ] || refuse 404 "$8"
    file=$(sed -n 's/^data-binary = "@\(.*\)"$/\1/p' "$FORGE_STATE/config")
    [ -z "$file" ] || input=$(cat "$file")
    ;;
esac

query=$(printf '%s' "$path" | sed -n 's/^[^?]*?//p')
path=${path%%\?*}
asked() { # NAME: of the query.
    printf '%s' "$query" | tr '&' '\n' | sed -n "s/^$1=//p"
}
look
echo "$method $path" >>"$FORGE_STATE/calls"
if grep -qx "$method $path" "$FORGE_STATE/fails" 2>/dev/null; then refuse 500 'no luck'; fi
case $path in issues/* | pulls/* | merge_requests/*) number=$(echo "$path" | cut -d / -f 2) ;; esac
page=$(asked page)
some='.[((if $page == "" then 1 else ($page | tonumber) end) - 1) * 50:][:50]'

case "$method $path" in
'GET pulls')
    jq --arg state "$(asked state)" --arg page "$page" \
        "[.pulls[] | select(.state == \$state)] | if \$page == \"\" then reverse else . end | $some" "$state"
    ;;
'POST pulls')
    ref=$(printf '%s' "$input" | jq -r .head)
    head=$(git -C "$FORGE_REMOTE" rev-parse --quiet --verify "refs/heads/$ref") || refuse 422 'no such head'
    jq -e --arg ref "$ref" 'any(.pulls[]; .state == "open" and .head.ref == $ref) | not' "$state" >/dev/null || refuse 422 'there is one'
    change --argjson new "$input" --arg head "$head" '.pulls += [{number: ((.pulls | length) + 1), state: "open", merged_at: null,
        title: $new.title, body: $new.body, labels: [], base: {ref: $new.base},
        head: {ref: $new.head, sha: $head, repo: {full_name: "acme/skills"}}}]'
    jq '.pulls[-1]' "$state"
    ;;
'PATCH pulls/'*) change --argjson n "$number" --argjson new "$input" '(.pulls[] | select(.number == $n)) += $new' ;;
'GET labels') jq --arg page "$page" ".labels | $some" "$state" ;;
'POST labels')
    change --argjson new "$input" '.labels += [$new + {id: ((.labels | length) + 100)}]'
    jq '.labels[-1]' "$state"
    ;;
'POST issues/'*/labels)
    jq -e --argjson new "$input" '[.labels[] | .name, .id] as $known | all($new.labels[]; IN($known[]))' "$state" >/dev/null || refuse 404 'no such label'
    change --argjson n "$number" --argjson new "$input" '.labels as $known | (.pulls[] | select(.number == $n) | .labels)
        += [$new.labels[] as $one | $known[] | select(.name == $one or .id == $one)]'
    ;;
'DELETE issues/'*/labels/*)
    change --argjson n "$number" --arg gone "${path##*/}" '(.pulls[] | select(.number == $n) | .labels)
        |= map(select(.name != $gone and "\(.id)" != $gone))'
    ;;
'POST issues/'*/comments) change --argjson n "$number" --argjson new "$input" '.comments += [$new + {number: $n}]' ;;
'GET commits/'*/statuses) jq --arg sha "$(echo "$path" | cut -d / -f 2)" '[.statuses[] | select(.sha == $sha)]' "$state" ;;
'POST statuses/'*) change --arg sha "${path##*/}" --argjson new "$input" '.statuses += [$new + {sha: $sha}]' ;;
# GitLab: `pulls` are merge requests.
'GET merge_requests')
    jq --arg state "$(asked state | sed 's/opened/open/')" --arg ref "$(asked source_branch)" '[.pulls[] | select(.state == $state)
        | select($ref == "" or .head.ref == $ref) | {iid: .number, source_branch: .head.ref, sha: .head.sha,
            source_project_id: 7, target_project_id: 7, labels: [.labels[].name]}]' "$state"
    ;;
'PUT merge_requests/'*)
    change --argjson n "$number" --arg name "$(asked add_labels)" '(.pulls[] | select(.number == $n) | .labels) += [{name: $name}]'
    ;;
*) refuse 404 "$method $path" ;;
esac
