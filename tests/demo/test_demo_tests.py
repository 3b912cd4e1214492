"""The demo server starts scenarios: the outcome follows from the prompt, results fill with time, calls cost credits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from demo_client import EPOCH, RUNS, Clock, served_by

from cekura_tui.demo import library
from cekura_tui.demo.corpus import FIRST_PROJECT, PROJECT_IDS
from cekura_tui.demo.improver import improve
from cekura_tui.demo.server import DemoOptions, DemoServer
from cekura_tui.model.before_after import called_run, compare
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import view_of

Json = dict[str, Any]
V1 = "/test_framework/v1"
START = f"{V1}/scenarios/run_scenarios"
CLINIC, PIZZA, AIRLINE, BANK, HOTEL, UTILITY = library.agents()
FATHER, CHECK_UP, CHEST, MOVE = 5104, 5101, 5103, 5102
ENDED = {"completed", "failed", "timeout", "cancelled"}


@dataclass
class Demo:
    """A demo server whose clock the test sets; `log` has an entry for each request."""

    client: httpx.Client
    clock: Clock
    log: list[dict[str, Any]]

    def get(self, path: str, **asked: Any) -> Any:
        answer = self.client.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def start(self, suffix: str = "", **body: Any) -> Json:
        answer = self.client.post(f"{START}{suffix}/", json=body)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    def result(self, result_id: int) -> Json:
        return dict(self.get(f"{V1}/results/{result_id}/"))

    def runs(self, result_id: int) -> list[Json]:
        """The whole runs of a result, oldest first."""
        rows = self.get(RUNS, result_id=result_id, page_size=100)["results"]
        found: list[Json] = self.get(f"{RUNS}bulk/", ids=",".join(str(row["id"]) for row in rows))
        return found[::-1]

    def ended(self, suffix: str = "", **body: Any) -> list[Json]:
        """Start scenarios and return their runs once all have ended."""
        result_id = self.start(suffix, **body)["id"]
        self.clock.now += 3600
        return self.runs(result_id)

    def write(self, agent: int, prompt: str) -> None:
        self.client.patch(f"{V1}/aiagents/{agent}/", json={"description": prompt}).raise_for_status()

    def credits(self) -> float:
        return float(self.get("/test_framework/billing/info/")["credits_remaining"])


@contextmanager
def demo_in(directory: Path, clock: Clock) -> Iterator[Demo]:
    log: list[dict[str, Any]] = []
    with served_by(DemoServer(directory, DemoOptions(epoch=EPOCH), log=log.append, clock=clock)) as client:
        yield Demo(client, clock, log)


@pytest.fixture
def demo(tmp_path: Path, clock: Clock) -> Iterator[Demo]:
    with demo_in(tmp_path / "demo", clock) as demo:
        yield demo


def passes(runs: list[Json]) -> float:
    """The pass rate of the runs that were judged."""
    judged = [run["success"] for run in runs if not run["error_message"]]
    return sum(judged) / len(judged)


def strong(agent: library.DemoAgent, *keys: str) -> str:
    """The agent's prompt with these rules rewritten, as the improver does."""
    prompt = agent.prompt
    for rule in map(agent.rule, keys):
        prompt = prompt.replace(rule.weak, rule.strong)
    return prompt


def test_scenarios_start_from_every_kind_of_body(demo: Demo) -> None:
    for sent in (
        {"json": {"scenarios": [FATHER, CHECK_UP], "frequency": 2, "mock_tool_names": ["find_patient"]}},
        {"data": {"scenarios": [FATHER, CHECK_UP], "frequency": 2, "mock_tool_names": "find_patient"}},
        {"files": [("scenarios", (None, f"{FATHER},{CHECK_UP}")), ("frequency", (None, "2"))]},
    ):
        answer = demo.client.post(f"{V1}/scenarios-external/run_scenarios", **sent)  # type: ignore[arg-type]
        begun = answer.json()
        assert (answer.status_code, begun["status"], begun["agent"]) == (201, "pending", CLINIC.id)
        assert [run["scenario"] for run in begun["runs"]] == [FATHER, FATHER, CHECK_UP, CHECK_UP]
        assert demo.log[-1]["calls"] == 4
        tools = list(CLINIC.mocked) if "files" in sent else ["find_patient"]
        assert all(run["mocked_tool_names"] == tools for run in demo.runs(begun["id"]))
    rows = [json.dumps({"scenario": scenario}) for scenario in (5601, 5602)]
    answer = demo.client.post(f"{START}_livekit_v2/", data={"scenarios": rows, "frequency": "2", "name": "N"})
    assert (answer.status_code, len(answer.json()["runs"])) == (200, 4)
    assert demo.result(answer.json()["id"])["name"] == "N"


REFUSED: tuple[tuple[str, Json, str], ...] = (
    ("", {"scenarios": [FATHER, 4]}, "scenarios"),
    ("", {"scenarios": []}, "scenarios"),
    ("", {"scenarios": [FATHER, 5301]}, "scenarios"),
    ("", {"scenarios": [FATHER], "agent_id": 1202}, "scenarios"),
    *(
        ("", {"scenarios": [FATHER], name: value}, name)
        for name, value in {"frequency": 0, "tags": ["verify"], "folder_path": "x", "concurrency_limit": 0}.items()
    ),
    *(("", {"scenarios": [FATHER], name: [71, 9]}, name) for name in ("personality_ids", "test_profile_ids")),
    ("", {"scenarios": [5501]}, "agent_id"),
    ("_vapi_webrtc", {"scenarios": [5301], "vapi_assistant_id": "x"}, "agent_id"),
    *(
        (way, {"scenarios": [FATHER]}, "agent_id")
        for way in ("_retell_webrtc", "_elevenlabs", "_sip", "_chirp", "_agora")
    ),
    ("_livekit_v2", {"scenarios": [{"scenario": 5601}], "frequency": 101}, "frequency"),
    ("_livekit_v2", {"scenarios": [{"scenario": 5601}], "agent": 1201}, "scenarios"),
    ("_pipecat_v2", {"scenarios": [{}]}, "scenarios"),
    ("_pipecat_v2", {"scenarios": [{"scenario": 5601}]}, "agent"),
)


def test_a_wrong_launch_is_refused_by_its_field_and_starts_nothing(demo: Demo) -> None:
    for suffix, body, wrong in REFUSED:
        answer = demo.client.post(f"{START}{suffix}/", json=body)
        assert (answer.status_code, list(answer.json())) == (400, [wrong]), (suffix, body)
        if wrong == "personality_ids":
            assert answer.json()[wrong] == ["Invalid personalities provided."]
    assert demo.get(f"{V1}/results/", project_id=FIRST_PROJECT)["count"] == 40


def test_an_agent_of_agora_is_called_by_agora_alone(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = replace(BANK, provider="agora", setup=BANK.setup | {"contact_number": ""})
    monkeypatch.setattr("cekura_tui.demo.launches.agents", lambda: (agent,))
    assert len(demo.start("_agora", scenarios=[5401], frequency=2)["runs"]) == 2
    assert demo.client.post(f"{START}/", json={"scenarios": [5401]}).status_code == 400


def test_as_many_calls_are_started_as_the_settings_multiply_to(demo: Demo) -> None:
    random = Random(36)
    for _ in range(12):
        agent = random.choice([CLINIC, PIZZA, AIRLINE, BANK])
        scenarios = random.sample([script.id for script in agent.scripts], random.randint(1, 2))
        times, people = random.randint(1, 3), random.sample(range(71, 79), random.randint(0, 2))
        profiles = [3238] * random.randint(0, 2)
        calls = len(scenarios) * times * max(1, len(people)) * max(1, len(profiles))
        body = {"scenarios": scenarios, "frequency": times}
        begun = demo.start("_text", **body, personality_ids=people or None, test_profile_ids=profiles)
        assert len(begun["runs"]) == demo.log[-1]["calls"] == calls
        assert demo.result(begun["id"])["total_runs_count"] == calls


def test_a_scenario_brings_the_personality_and_the_caller_of_its_newest_failed_run(demo: Demo) -> None:
    newest = demo.get(f"{RUNS}900238/")
    scenario = demo.get(f"{V1}/scenarios/{FATHER}/")
    same = ("personality", "personality_name", "test_profile_data", "mocked_tool_names", "scenario_instructions")
    [run] = demo.ended(scenarios=[FATHER])
    assert {name: run[name] for name in same} == {name: newest[name] for name in same}
    assert (scenario["personality"], scenario["test_profile"]) == (71, newest["test_profile_data"]["id"])
    runs = demo.ended(scenarios=[FATHER], personality_ids=[75, 76], mock_tool_names=[])
    assert [run["personality"] for run in runs] == [75, 76]
    assert [run["mocked_tool_names"] for run in runs] == [[], []]


def test_a_result_fills_until_all_calls_have_ended(demo: Demo) -> None:
    begun = demo.start(scenarios=[FATHER, CHECK_UP, MOVE], frequency=4, name="Fill", concurrency_limit=4)
    seen: list[str] = []
    ended = 0
    while not seen or seen[-1] not in ENDED:
        whole = demo.result(begun["id"])
        counts = Counter(run["status"] for run in whole["runs"].values())
        assert sum(counts[word] for word in ("running", "in_progress")) <= 4
        assert ended <= whole["completed_runs_count"] == sum(counts[word] for word in ENDED)
        ended = whole["completed_runs_count"]
        seen += [whole["status"]] if whole["status"] not in seen else []
        demo.clock.now += 1.5
    assert seen == ["pending", "running", "evaluating", "completed"]
    assert 6 * 12 / 4 < demo.clock.now - EPOCH < 30 * 12 / 4
    row = demo.get(f"{V1}/results/", search="fIll")["results"][0]
    assert (row["id"], row["total_runs_count"], row["completed_runs_count"]) == (begun["id"], "12", "12")
    assert 0 <= row["success_rate"] <= 1 < whole["success_rate"] <= 100
    runs = demo.runs(begun["id"])
    assert all(run["duration"] > "00:50" for run in runs if not run["error_message"])
    newest = demo.get(RUNS, project_id=FIRST_PROJECT, page_size=30)["results"]
    assert [row["id"] for row in newest[:12]] == [run["id"] for run in runs[::-1]]
    assert newest[12]["id"] == 900_240
    failed = demo.get(RUNS, project_id=FIRST_PROJECT, success="false", scenario__id=FATHER)["results"]
    assert failed[0]["result_id"] == begun["id"]
    since = row["created_at"]
    assert (
        demo.get(f"{V1}/results/", created_at_from=since, project_id=FIRST_PROJECT)["results"][0]["id"] == begun["id"]
    )
    assert demo.get(f"{V1}/results/", created_at_to="2020-01-01T00:00:00Z", agent_id=CLINIC.id)["count"] == 0


def test_calls_that_did_not_happen_are_in_neither_count(demo: Demo) -> None:
    runs = demo.ended("_elevenlabs", scenarios=[5501], frequency=4)
    assert all(run["error_message"] for run in runs)
    assert Counter(run["status"] for run in runs) == {"completed": 1, "failed": 2, "timeout": 1}
    assert [run["success"] for run in runs if run["status"] == "completed"] == [True]
    whole = demo.result(runs[0]["result_id"])
    assert (whole["status"], whole["total_runs_count"], whole["failed_runs_count"]) == ("completed", 4, 0)


def test_the_user_ends_the_calls_of_a_result(demo: Demo) -> None:
    first, second = (demo.start(scenarios=[FATHER], frequency=12, concurrency_limit=4) for _ in range(2))
    full = demo.credits()
    ending = f"{V1}/results/{first['id']}/end_calls/"
    assert (demo.client.post(ending).status_code, demo.client.post(ending).content) == (200, b"")
    assert demo.result(first["id"])["status"] == "cancelled"
    assert demo.credits() > full
    demo.clock.now += 32
    demo.client.post(f"{V1}/results/{second['id']}/end_calls")
    demo.clock.now += 3600
    whole, runs = demo.result(second["id"]), demo.runs(second["id"])
    words = Counter(run["status"] for run in runs)
    assert whole["status"] == "completed"
    assert words["cancelled"] >= 4
    assert sum(words[word] for word in ENDED) == 12
    assert demo.client.post(f"{V1}/results/7/end_calls/").status_code == 404


def test_a_rerun_calls_each_scenario_of_a_result_once_in_the_same_way(demo: Demo) -> None:
    begun = demo.start("_text", scenarios=[5401, 5403], frequency=3, mock_tool_names=[])
    for result_id in (begun["id"], 50_030):
        before = demo.runs(result_id)
        answer = demo.client.post(f"{V1}/results/{result_id}/rerun/")
        after = demo.runs(answer.json()["id"])
        assert sorted(run["scenario"] for run in after) == sorted({run["scenario"] for run in before})
        for name in ("run_as_text", "mocked_tool_names"):
            assert after[0][name] == before[0][name]
    assert demo.client.post(f"{V1}/results/7/rerun/").status_code == 404


def test_an_outbound_agent_dials_within_a_window(demo: Demo) -> None:
    begun = demo.start(scenarios=[5602], frequency=2)
    assert {run["outbound_dial_window_seconds"] for run in begun["runs"]} == {120}
    waiting = demo.runs(begun["id"])[0]
    assert waiting["outbound_dial_window_closes_at"] > waiting["outbound_dial_window_opens_at"]
    demo.clock.now += 3600
    assert demo.runs(begun["id"])[0]["outbound_dial_window_opens_at"] is None
    assert demo.start(scenarios=[FATHER])["runs"][0]["outbound_dial_window_seconds"] is None


def test_two_servers_that_share_the_file_show_the_same_runs(demo: Demo, tmp_path: Path) -> None:
    begun = demo.start(scenarios=[FATHER], frequency=2)
    with demo_in(tmp_path / "demo", demo.clock) as other:
        assert other.runs(begun["id"]) == demo.runs(begun["id"])
        second = other.start(scenarios=[FATHER])
        assert demo.result(second["id"])["id"] == begun["id"] + 1
        assert second["runs"][0]["id"] == begun["runs"][-1]["id"] + 1


@pytest.mark.parametrize(("suffix", "scenario"), [("", FATHER), ("_text", 5401)])
def test_calls_cost_minutes_or_messages_and_evaluated_metrics(demo: Demo, suffix: str, scenario: int) -> None:
    cost = 0.0
    for run in demo.ended(suffix, scenarios=[scenario], frequency=6):
        minutes, seconds = map(int, run["duration"].split(":"))
        messages = sum(turn["role"] == "Testing Agent" for turn in run["transcript_object"] or ())
        cost += messages * 0.5 if suffix else 5 * (minutes + (seconds > 0))
        cost += 0.2 * len((run["evaluation"] or {"metrics": []})["metrics"])
    assert demo.credits() == pytest.approx(1500 - cost)


def test_a_launch_that_the_credits_do_not_cover_is_refused(demo: Demo) -> None:
    for calls in (150, 100_000):
        answer = demo.client.post(f"{START}/", json={"scenarios": [FATHER], "frequency": calls})
        assert (answer.status_code, list(answer.json())) == (402, ["detail"])
    assert demo.credits() == 1500
    assert demo.start(scenarios=[FATHER])["id"] == 2_000_001


def test_a_better_prompt_fixes_the_rules_that_it_states(demo: Demo) -> None:
    assert passes(demo.ended("_text", scenarios=[FATHER], frequency=15)) < 0.2
    demo.write(CLINIC.id, strong(CLINIC, "verify"))
    assert passes(demo.ended("_text", scenarios=[FATHER], frequency=15)) < 0.2
    demo.write(CLINIC.id, strong(CLINIC, "verify", "human"))
    assert passes(demo.ended("_text", scenarios=[FATHER], frequency=15)) > 0.7


def test_some_rules_need_a_second_sentence_and_some_are_forgotten_for_others(demo: Demo) -> None:
    demo.write(CLINIC.id, better := strong(CLINIC, "human", "turns"))
    assert passes(demo.ended("_text", scenarios=[CHEST], frequency=15)) < 0.4
    demo.write(CLINIC.id, f"{better}\n{CLINIC.rule('turns').second}")
    assert passes(demo.ended("_text", scenarios=[CHEST], frequency=15)) > 0.7
    assert passes(demo.ended("_text", scenarios=[CHECK_UP], frequency=15)) < 0.3
    demo.write(CLINIC.id, CLINIC.prompt)
    assert passes(demo.ended("_text", scenarios=[CHECK_UP], frequency=15)) > 0.6


@pytest.mark.parametrize(("agent", "scenario"), [(PIZZA, 5202), (BANK, 5401)])
def test_a_prompt_at_the_record_changes_nothing_where_a_platform_answers(
    demo: Demo, agent: library.DemoAgent, scenario: int
) -> None:
    demo.write(agent.id, strong(agent, *(rule.key for rule in agent.rules)))
    assert passes(demo.ended("_text", scenarios=[scenario], frequency=15)) < 0.3


def test_every_word_of_a_comparison_occurs_in_the_demo(demo: Demo) -> None:
    became: Counter[str] = Counter()
    for agent in (CLINIC, AIRLINE):
        scenarios = {script.id: script.name for script in agent.scripts}
        launch = {"scenarios": list(scenarios), "frequency": 4}
        former, after, prompt = demo.ended("_text", **launch), list[Json](), agent.prompt
        for _ in range(3):
            failed = [run for run in former if run["success"] is False and not run["error_message"]]
            prompt = improve(failed[:3], prompt).improved_prompt or prompt
            demo.write(agent.id, prompt)
            after = demo.ended("_text", **launch)
            sides = [[called_run(view_of(Run.read(run), 0.0)) for run in runs] for runs in (former, after)]
            became.update(line.became for line in compare(*sides, scenarios).lines)
            former = after
    assert set(became) >= {"fixed", "improved", "still failing", "newly failing", "still passing", "unclear"}


def test_the_history_has_each_prompt_and_runs_name_its_row(demo: Demo) -> None:
    for version in ("v1", "v2"):
        path = f"/test_framework/{version}/aiagents/{AIRLINE.id}/"
        demo.clock.now += 60
        assert demo.client.patch(path, json={"description": f"Be kind {version}."}).status_code == 200
    rows = demo.get(f"{V1}/aiagents/{AIRLINE.id}/history/")["results"]
    assert [row["description"] for row in rows] == ["Be kind v2.", "Be kind v1.", AIRLINE.prompt]
    assert [row["history_type"] for row in rows] == ["~", "~", "+"]
    assert demo.ended("_text", scenarios=[5302])[0]["agent_version"] == str(rows[0]["history_id"])
    old = [run for project in PROJECT_IDS for run in demo.get(RUNS, project_id=project, page_size=100)["results"]]
    versions: Json = {1201: 71201, 1202: 71202, 1203: "71203", 1204: {"id": 71204, "version_id": "v71204"}}
    versions |= {1205: 71205, 1206: None}
    assert {run["agent"]: run["agent_version"] for run in old if run["id"] < 5_000_000} == versions


def test_a_provider_that_syncs_overwrites_the_record_after_30_seconds(demo: Demo) -> None:
    demo.write(BANK.id, "Be kind.")
    assert demo.get(f"{V1}/aiagents/{BANK.id}/")["description"] == "Be kind."
    demo.clock.now += 31
    assert demo.get(f"{V1}/aiagents/{BANK.id}/")["description"] == BANK.prompt
    rows = demo.get(f"/test_framework/v2/aiagents/{BANK.id}/history/")["results"]
    assert [row["history_change_reason"] for row in rows] == ["Synced from provider", None, None]


def test_agents_answer_how_they_are_called_with_secrets_in_the_clear(demo: Demo) -> None:
    secrets = 0
    for agent in library.agents():
        answers = [demo.get(f"/test_framework/{version}/aiagents/{agent.id}/") for version in ("v1", "v2")]
        for name, value in agent.setup.items():
            assert [answer[name] for answer in answers] == [value, value]
        secrets += json.dumps(answers[0]).count("demo-secret-")
    assert secrets == 5
