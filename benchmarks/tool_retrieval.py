"""Whether the right tool is among the first five, for questions that do not use the tools' own words.

    python benchmarks/tool_retrieval.py DATA [--documents FOLDER] [--missed]

DATA holds ``toolalpaca/`` and ``toolbench/`` (see ``toolmint eval fetch``): 38 questions, ranked over all
their tools together. FOLDER is what ``benchmarks/openapi_documents.py --fetch`` wrote: 38 questions to five
large documents, each ranked over its own document's operations, and 20 more to five others. The questions
are this project's own. The ranking was tuned on the first two sets, and on the third one never.
"""

import argparse
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from toolmint.core.messages import ToolSpec
from toolmint.tools.openapi import import_document, read_document
from toolmint.tools.retrieve import Retriever

MOST = 5
POOLED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Show me a picture of a pink axolotl, a big one", ("searchAxolotlImages",)),
    ("What do axolotls eat, and where do they live?", ("getAxolotlFacts",)),
    ("Where can I watch this anime online?", ("getStreamingServices",)),
    ("Who made and voiced the anime with the number 21?", ("getCastAndCrew",)),
    ("I have just seen episode 5, save that to my anime list", ("synchronizeTracking",)),
    ("Somebody keeps attacking my server from 203.0.113.7; let others know", ("reportAbusiveIP",)),
    ("Is the address 198.51.100.9 known to be malicious?", ("checkIPReputation", "searchReports")),
    ("Who belongs to my Discord server?", ("listServerMembers",)),
    (
        "Let Ann log in with a code in place of a password",
        ("initiatePasswordlessAuthentication", "verifyPasswordlessAuthentication"),
    ),
    ("Make Bob an administrator", ("assignUserRole",)),
    ("Which days off are there in Norway in May?", ("getHolidaysByCountry", "searchHolidays")),
    (
        "How many pounds are 250 euros?",
        (
            "convertCurrency",
            "Convert of Currency Converter_v2",
            "converter of Currency Converter_v3",
        ),
    ),
    ("Tell me as soon as the dollar falls below 0.9 euros", ("setPriceAlert",)),
    ("Read me the whole of Genesis 1", ("getAllVersesFromChapter",)),
    ("In which tongues can I read the Bible?", ("getBibleLanguages",)),
    ("Put the sales dashboard on our web page", ("embedDashboard",)),
    ("Mail me every morning when the figures change", ("configureAlerts",)),
    (
        "Can the post deliver to 12 Main Street, Springfield?",
        ("verifyUSAddress", "standardizeUSAddress"),
    ),
    ("What does a gallon cost in Minnesota right now?", ("/us/mn of US Gas Prices",)),
    (
        "Will it rain in the next hour, minute by minute?",
        ("minutely of AI Weather by Meteosource",),
    ),
    ("How walkable is the neighbourhood around this address?", ("Walk Score of Walk Score",)),
    ("What airports does Paris have?", ("Get Airports By City of Airports Finder",)),
    (
        "I weigh 80 kg and am 1.80 m tall: am I overweight?",
        ("Metric [Kilograms] of Body Mass Index (BMI) Calculator",),
    ),
    ("What could I charge if I rented out my flat at this address?", ("Rentalizer of Airdna",)),
    ("Find the mail address of whoever owns this LinkedIn page", ("LinkedinFinder of Tomba",)),
    ("Which postcodes lie within 5 km of this one?", ("In Radius of Dargan",)),
    (
        "Where can a homeless person sleep near these coordinates?",
        ("By Location of Homeless Shelter",),
    ),
    (
        "Save this Instagram reel to my computer",
        ("Reels Downloader of Instagram Reels and post Downloader",),
    ),
    (
        "Which games does Epic give away soon?",
        ("Get Epic Free Games Coming Soon of Epic Free Games",),
    ),
    ("How many LeetCode problems has this user solved?", ("getTotalSolved of LeetcodeApi",)),
    ("Which hashtags go with the word sunset?", ("Similar Hashtags of Hashtag",)),
    (
        "What do people search for beside running shoes?",
        ("SimilarQueries of Keyword Analysis",),
    ),
    (
        "Is this telephone number real?",
        (
            "Is valid? of Phone Validator API",
            "verify of Veriphone",
            "Verify Single Number of Phone verification",
        ),
    ),
    ("How far apart are Cairo and Luxor?", ("Measure Distance of Egypt API",)),
    (
        "Is the tone of this review positive or negative?",
        ("/v1/sentiment of Sentiment by API-Ninjas",),
    ),
    ("Book me a table for two tonight", ("bookRestaurant of CamRest676",)),
    (
        "What did Lewis Hamilton say?",
        (
            "Driver's quotes of F1 drivers quotes",
            "Driver's quotes with pagination of 10 quotes each page of F1 drivers quotes",
        ),
    ),
    (
        "What shops and schools are near this house?",
        ("house-prices/get-points-of-interest of Zoopla_v2",),
    ),
)
REPOSITORY = "/repositories/{workspace}/{repo_slug}"
SPACE = "/api/v1/namespaces/{namespace}"
BY_DOCUMENT: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "stripe.com": (
        (
            "Give the customer half of the money back",
            (
                "POST /v1/refunds",
                "POST /v1/charges/{charge}/refunds",
                "POST /v1/charges/{charge}/refund",
            ),
        ),
        ("How much money do we have there?", ("GET /v1/balance",)),
        (
            "Stop Ann's subscription",
            (
                "DELETE /v1/subscriptions/{subscription_exposed_id}",
                "DELETE /v1/customers/{customer}/subscriptions/{subscription_exposed_id}",
            ),
        ),
        ("Show me the last ten payments", ("GET /v1/charges", "GET /v1/payment_intents")),
        ("Send the bill to the customer by mail", ("POST /v1/invoices/{invoice}/send",)),
        (
            "Make a code that takes 20 percent off for Christmas",
            ("POST /v1/coupons", "POST /v1/promotion_codes"),
        ),
        ("Which disputes are open?", ("GET /v1/disputes",)),
        (
            "Look up customers whose mail is ann@example.com",
            ("GET /v1/customers", "GET /v1/customers/search"),
        ),
        (
            "Set up a page where the buyer can pay for his cart",
            ("POST /v1/checkout/sessions", "POST /v1/payment_links"),
        ),
        ("Pay out 500 dollars to our bank account", ("POST /v1/payouts",)),
    ),
    "trello.com": (
        (
            "Put a new card on the list of things to do",
            ("POST /cards", "POST /lists/{idList}/cards"),
        ),
        ("Move this card to the list Done", ("PUT /cards/{idCard}/idList", "PUT /cards/{idCard}")),
        (
            "Who is on the board?",
            ("GET /boards/{idBoard}/members", "GET /boards/{idBoard}/memberships"),
        ),
        ("Write a comment under the card", ("POST /cards/{idCard}/actions/comments",)),
        ("Set the card due on Friday", ("PUT /cards/{idCard}/due", "PUT /cards/{idCard}")),
        (
            "Tick off the second item of the checklist",
            (
                "PUT /cards/{idCard}/checklist/{idChecklist}/checkItem/{idCheckItem}/state",
                "PUT /cards/{idCard}/checklist/{idChecklistCurrent}/checkItem/{idCheckItem}",
            ),
        ),
        ("Which boards do I have?", ("GET /members/{idMember}/boards",)),
    ),
    "bitbucket.org": (
        (
            "What pull requests are open in this repository?",
            (f"GET {REPOSITORY}/pullrequests",),
        ),
        (
            "Approve the pull request of Tom",
            (f"POST {REPOSITORY}/pullrequests/{{pull_request_id}}/approve",),
        ),
        ("Who watches this repository?", (f"GET {REPOSITORY}/watchers",)),
        ("File a bug about the login page", (f"POST {REPOSITORY}/issues",)),
        (
            "What changed in the last commit?",
            (
                f"GET {REPOSITORY}/diff/{{spec}}",
                f"GET {REPOSITORY}/diffstat/{{spec}}",
                f"GET {REPOSITORY}/commit/{{commit}}",
            ),
        ),
        ("Make a branch called release", (f"POST {REPOSITORY}/refs/branches",)),
        ("Fork this project", (f"POST {REPOSITORY}/forks",)),
    ),
    "kubernetes.io": (
        ("Which pods run in the namespace shop?", (f"GET {SPACE}/pods", "GET /api/v1/pods")),
        ("Show me the logs of the pod web-1", (f"GET {SPACE}/pods/{{name}}/log",)),
        (
            "Run five copies of the deployment web",
            tuple(
                f"{method} /apis/apps/v1/namespaces/{{namespace}}/deployments/{{name}}{end}"
                for method in ("PATCH", "PUT")
                for end in ("/scale", "")
            ),
        ),
        ("Throw away the config map settings", (f"DELETE {SPACE}/configmaps/{{name}}",)),
        ("Which machines are in the cluster?", ("GET /api/v1/nodes",)),
        ("Store a password as a secret", (f"POST {SPACE}/secrets",)),
        (
            "Run a job every night",
            ("POST /apis/batch/v1/namespaces/{namespace}/cronjobs",),
        ),
    ),
    "digitalocean.com": (
        ("Start a new server in Frankfurt", ("POST /v2/droplets",)),
        (
            "What do I owe this month?",
            ("GET /v2/customers/my/balance", "GET /v2/customers/my/invoices"),
        ),
        ("Turn the machine off and on again", ("POST /v2/droplets/{droplet_id}/actions",)),
        ("Point www.example.com at 203.0.113.5", ("POST /v2/domains/{domain_name}/records",)),
        (
            "Take a snapshot of my disk",
            ("POST /v2/volumes/{volume_id}/snapshots", "POST /v2/droplets/{droplet_id}/actions"),
        ),
        (
            "Tell me when my site is down",
            ("POST /v2/uptime/checks", "POST /v2/uptime/checks/{check_id}/alerts"),
        ),
        (
            "Let my office's address through the firewall",
            ("POST /v2/firewalls/{firewall_id}/rules",),
        ),
    ),
}
HELD_OUT: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "slack.com": (
        ("Write hello into the channel general", ("POST /chat.postMessage",)),
        ("Who is in this channel?", ("GET /conversations.members",)),
        ("Put a thumbs up on that message", ("POST /reactions.add",)),
        ("Remind me to call Tom tomorrow", ("POST /reminders.add",)),
        ("Make a channel for the new project", ("POST /conversations.create",)),
        ("Who am I logged in as?", ("GET /auth.test",)),
    ),
    "spotify.com": (
        ("What is playing right now?", ("GET /me/player/currently-playing", "GET /me/player")),
        ("Skip this song", ("POST /me/player/next",)),
        ("Turn it down to half", ("PUT /me/player/volume",)),
        ("Add this song to my party list", ("POST /playlists/{playlist_id}/tracks",)),
        ("What are this singer's biggest hits?", ("GET /artists/{id}/top-tracks",)),
        ("Find albums by Miles Davis", ("GET /search", "GET /artists/{id}/albums")),
    ),
    "zoom.us": (
        ("Plan a call with Ann for Monday", ("POST /users/{userId}/meetings",)),
        (
            "Who took part in yesterday's call?",
            (
                "GET /past_meetings/{meetingUUID}/participants",
                "GET /past_meetings/{meetingId}/participants",
                "GET /metrics/meetings/{meetingId}/participants",
                "GET /report/meetings/{meetingId}/participants",
            ),
        ),
        (
            "Where can I find the recording of the meeting?",
            ("GET /meetings/{meetingId}/recordings", "GET /users/{userId}/recordings"),
        ),
    ),
    "openai.com": (
        ("Draw me a cat", ("POST /images/generations",)),
        ("Turn this speech into text", ("POST /audio/transcriptions",)),
        ("Is this text offensive?", ("POST /moderations",)),
    ),
    "netlify.com": (
        (
            "Put the last version of my site back",
            ("POST /sites/{site_id}/deploys/{deploy_id}/restore", "PUT /sites/{site_id}/rollback"),
        ),
        (
            "What has somebody filled in on our form?",
            ("GET /forms/{form_id}/submissions", "GET /sites/{site_id}/submissions"),
        ),
    ),
}
"""Written after the ranking was tuned on the others, and never used for that."""


class Question(NamedTuple):
    """A question, the tools that would be right, and the first five that are found."""

    text: str
    right: frozenset[str]
    found: tuple[str, ...]

    @property
    def hit(self) -> bool:
        """Whether one of the right ones was found."""
        return bool(self.right & set(self.found))


def pooled_specs(data: Path) -> list[tuple[str, ToolSpec]]:
    """Return the tools of ToolAlpaca's documents and of ToolBench's queries, with a label each."""
    found: list[tuple[str, ToolSpec]] = []
    for one in json.loads((data / "toolalpaca/eval_simulated.json").read_text()):
        read = import_document(read_document(one["Documentation"]))
        found += [(operation.spec.name, operation.spec) for operation in read.operations]
    seen: dict[str, dict[str, Any]] = {}
    for file in sorted((data / "toolbench/solvable_queries").glob("*.json")):
        for query in json.loads(file.read_text()):
            for api in query["api_list"]:
                seen.setdefault(f"{api['api_name']} of {api['tool_name']}", api)
    for label, api in seen.items():
        given = [*api["required_parameters"], *api["optional_parameters"]]
        fields = {
            one["name"]: {"type": "string", "description": one.get("description") or ""}
            for one in given
        }
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", f"{api['tool_name']} {api['api_name']}").strip("_")
        description = api.get("api_description") or ""
        parameters: dict[str, Any] = {"type": "object", "properties": fields}
        spec = ToolSpec(
            name=name,
            description=description,
            parameters=parameters,
            read_only=api["method"] == "GET",
        )
        found.append((label, spec))
    return found


def asked(
    labelled: Sequence[tuple[str, ToolSpec]], questions: Iterable[tuple[str, tuple[str, ...]]]
) -> list[Question]:
    """Return the questions with what is found for them."""
    retriever = Retriever([spec for _, spec in labelled])
    labels = {id(spec): label for label, spec in labelled}
    known = set(labels.values())
    found: list[Question] = []
    for text, right in questions:
        if not known & set(right):
            raise SystemExit(f"{text!r}: none of {right} is in the data")
        ranked = retriever.rank(text, MOST)
        names = tuple(labels[id(one.spec)] for one in ranked)
        found.append(Question(text, frozenset(right), names))
    return found


def documents(
    folder: Path, asks: Mapping[str, Sequence[tuple[str, tuple[str, ...]]]]
) -> list[Question]:
    """Return questions to large documents, each ranked over its document's operations."""
    found: list[Question] = []
    for name, questions in asks.items():
        read = import_document(read_document((folder / f"{name}.json").read_text()))
        labelled = [(f"{one.method} {one.path}", one.spec) for one in read.operations]
        found += asked(labelled, questions)
    return found


def report(title: str, questions: Sequence[Question], *, missed: bool) -> None:
    """Print a set's recall."""
    hits = sum(question.hit for question in questions)
    print(f"{title}: the right tool is among the first {MOST} for {hits} of {len(questions)}")
    for question in questions:
        if missed and not question.hit:
            print(
                f"  {question.text}\n    wanted {sorted(question.right)}\n    found {question.found}"
            )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--documents", type=Path)
    parser.add_argument("--missed", action="store_true")
    given = parser.parse_args()
    pool = pooled_specs(given.data)
    report(f"{len(pool)} tools together", asked(pool, POOLED), missed=given.missed)
    if given.documents:
        tuned = documents(given.documents, BY_DOCUMENT)
        report("five documents", tuned, missed=given.missed)
        held_out = documents(given.documents, HELD_OUT)
        report("five other documents, held out", held_out, missed=given.missed)


if __name__ == "__main__":
    main()
