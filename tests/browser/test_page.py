"""The page in a real browser: what it shows, what it survives, and what it does not let in."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, MakeReceiver, OpenPage
from tests.builders import body, entry
from tests.support.processes import ReceiverProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

HOSTILE = {
    "script": "<script>window.taken = 1</script><img src=x onerror='window.taken=1'>",
    "bidi": "safe\u202e\u2066dangerous\u2069\u200b",
    "long": "x" * 5000,
    "nul": "a\0b\x1b[31mred",
    "link": "javascript:window.taken=1",
}


def alerts(*names: str, **labels: str) -> bytes:
    """Return a webhook body with an alert of each of *names*."""
    return body(
        *(
            entry(
                name,
                labels={"alertname": name, "severity": "critical", "team": "payments", **labels},
                annotations={
                    "summary": f"{name} is wrong",
                    "runbook_url": "https://runbooks.example/x",
                },
            )
            for name in names
        )
    )


def spread_out(**seconds: float) -> bytes:
    """Return a webhook body with an alert of one rule in each service, so long after the first."""
    return body(
        *(
            entry(
                "Slow",
                labels={"alertname": "Slow", "service": service, "namespace": "shop"},
                annotations={"summary": "requests are slow"},
                starts=after,
            )
            for service, after in seconds.items()
        )
    )


def post(receiver: ReceiverProcess, content: bytes) -> None:
    assert receiver.post(content).status == 200


def opened(page: Page) -> Page:
    """Return *page* once it shows what is going on."""
    expect(page.locator("#connection-words")).to_have_text("Live")
    return page


class TestWhatIsShown:
    def test_what_fires_is_there_without_a_reload(
        self, receiver: ReceiverProcess, open_page: OpenPage
    ) -> None:
        page = opened(open_page(receiver.url))
        expect(page.locator("#situation")).to_contain_text("nothing is firing")
        post(receiver, alerts("DatabaseDown"))

        expect(page.locator("#rows")).to_contain_text("Database down")
        expect(page.locator("#outside")).to_contain_text("Database down")
        expect(page.locator("#teams")).to_contain_text("payments")
        expect(page.locator("#firing")).to_have_text("1")
        expect(page.locator("#fired")).to_have_text("1")

    def test_a_card_says_what_and_why_and_takes_an_operators_word(
        self, receiver: ReceiverProcess, open_page: OpenPage
    ) -> None:
        post(receiver, alerts("DatabaseDown", "DatabaseSlow"))
        receiver.settle()
        page = opened(open_page(receiver.url + "#cluster=1"))
        card = page.locator("#card")

        expect(card).to_contain_text("Database down")
        expect(card.get_by_role("link", name="runbooks.example")).to_have_attribute(
            "rel", "noopener noreferrer"
        )
        page.get_by_role("button", name="Acknowledge").click()
        name = card.get_by_label("Your name")
        if name.is_visible():
            name.fill("Ann")
            name.press("Enter")
        expect(card).to_contain_text("Ann")

        assert receiver.read("clusters/1")["acked_by"] == "Ann"

    def test_a_card_says_what_fired_first_and_what_speaks_for_it(
        self, receiver: ReceiverProcess, open_page: OpenPage, pictures: Path
    ) -> None:
        post(receiver, spread_out(pg=0, web=95, cart=100, search=400))
        receiver.settle()
        page = opened(open_page(receiver.url + "#cluster=1"))
        card = page.locator("#card")

        expect(card).to_contain_text("Probably first: service pg")
        expect(card).to_contain_text("Slow in service pg fired 1.6 minutes before any other.")
        expect(card.locator(".cascade li")).to_have_count(3)
        expect(card.locator(".cascade .probably-first")).to_contain_text("pg")
        page.screenshot(path=pictures / "spread.png")
        post(receiver, spread_out(ad=20))

        expect(card).to_contain_text("Which was first is not clear")
        expect(card).to_contain_text("2 values of service fired within 60 seconds")
        page.screenshot(path=pictures / "spread-unclear.png")

    def test_a_card_works_out_a_silence_and_whom_else_it_would_hit(
        self, receiver: ReceiverProcess, open_page: OpenPage, pictures: Path
    ) -> None:
        post(receiver, alerts("NodeLost", "KubeletDown", node="n1"))
        receiver.settle()
        page = opened(open_page(receiver.url + "#cluster=1"))
        silence = page.locator("#card .silence")

        page.get_by_role("button", name="Work out a silence").click()
        expect(silence).to_contain_text('alertname="NodeLost"')
        expect(silence).to_contain_text("It hits no other alert that fires now.")
        silence.scroll_into_view_if_needed()
        page.screenshot(path=pictures / "silence.png")

    def test_what_a_colleague_noted_and_the_nearest_alerts_names_are_read_at_a_glance(
        self, receiver: ReceiverProcess, open_page: OpenPage
    ) -> None:
        post(receiver, spread_out(web=0, cart=5))
        receiver.settle()
        page = opened(open_page(receiver.url + "#cluster=1"))
        card = page.locator("#card")
        card.get_by_label("Note").fill("failover is running")
        card.get_by_role("button", name="Save note").click()

        expect(card.locator(".card-noted")).to_have_text("failover is running")
        card.get_by_role("button", name="Why here?").last.click()
        expect(card.locator(".why")).to_contain_text("Nearest member: Slow (web)")

    def test_search_finds_where_an_alert_went(
        self, receiver: ReceiverProcess, open_page: OpenPage
    ) -> None:
        post(receiver, alerts("DatabaseDown", node="n17"))
        receiver.settle()
        page = opened(open_page(receiver.url))
        page.keyboard.press("/")
        page.keyboard.type("node=n17")
        page.keyboard.press("Enter")
        results = page.locator("#search-results")

        expect(results).to_contain_text("DatabaseDown")
        results.get_by_role("button").or_(results.get_by_role("link")).first.click()
        expect(page.locator("#card")).to_be_visible()

    def test_everything_can_be_reached_by_keyboard(
        self, receiver: ReceiverProcess, open_page: OpenPage
    ) -> None:
        post(receiver, alerts("DatabaseDown"))
        receiver.settle()
        page = opened(open_page(receiver.url))
        expect(page.locator("#rows tr")).to_have_count(1)
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator("#card")).to_be_visible()
        page.keyboard.press("Escape")

        expect(page.locator("#card")).to_be_hidden()


class TestWhatWasSeenBefore:
    NAMES = ("DatabaseDown", "DatabaseSlow", "ReplicaLagging")

    def lived_through(self, make_receiver: MakeReceiver, wait: str) -> ReceiverProcess:
        """Return a receiver to which three alerts came, went, and came anew."""
        receiver = make_receiver(
            settings={"clustering.resolve_after": "0s", "clustering.novel_after": wait}
        )
        receiver.start()
        for ends in ("0001-01-01T00:00:00Z", "2026-01-01T00:41:00Z"):
            status = "firing" if ends.startswith("0001") else "resolved"
            post(receiver, body(*(self.told(name, 0, ends, status) for name in self.NAMES)))
            receiver.settle()
        wait_until("it is over", lambda: receiver.read("clusters/1")["state"] == "resolved")
        post(receiver, body(*(self.told(name, 9000) for name in self.NAMES)))
        receiver.settle()
        return receiver

    def told(
        self, name: str, starts: float, ends: str = "", status: str = "firing"
    ) -> dict[str, Any]:
        labels = {
            "alertname": name,
            "severity": "critical",
            "service": "payments",
            "node": f"n-{name}",
        }
        more = {"endsAt": ends, "status": status} if ends else {}
        told = {"summary": "the database of payments is in trouble"}
        return entry(name, starts=starts, labels=labels, annotations=told, **more)

    @pytest.mark.parametrize("scheme", ["dark", "light"])
    def test_a_card_says_which_cluster_it_recurs_and_what_else_is_like_it(
        self, make_receiver: MakeReceiver, open_page: OpenPage, pictures: Path, scheme: str
    ) -> None:
        receiver = self.lived_through(make_receiver, "1d")
        page = opened(open_page(receiver.url + "#cluster=2", color_scheme=scheme))
        card = page.locator("#card")

        expect(card.locator(".card-history")).to_contain_text("Seen before: ")
        expect(card.locator(".card-history")).to_contain_text(
            "ended when ReplicaLagging (node n-ReplicaLagging) resolved"
        )
        expect(card.locator(".similar li")).to_have_count(1)
        expect(page.locator("#rows")).to_contain_text("seen before")
        card.locator(".similar li").scroll_into_view_if_needed()
        page.screenshot(path=pictures / f"similar-{scheme}.png")
        card.locator(".card-history").scroll_into_view_if_needed()
        page.screenshot(path=pictures / f"recurs-{scheme}.png")
        assert serious(page) == []
        card.locator(".card-history").get_by_role("button").click()
        expect(card.locator("h2, h3").first).to_be_visible()
        expect(page).to_have_url(re.compile("cluster=1$"))

    def test_what_was_never_seen_is_new_here(
        self, make_receiver: MakeReceiver, open_page: OpenPage, pictures: Path
    ) -> None:
        receiver = self.lived_through(make_receiver, "1s")
        wait_until(
            "a second has passed",
            lambda: self.new_one(receiver)["novel"] is True,
        )
        cluster = self.new_one(receiver)
        page = opened(open_page(receiver.url + f"#cluster={cluster['id']}"))

        expect(page.locator(".card-history")).to_contain_text(
            "New here: it has alerts never seen here before"
        )
        expect(page.locator("#rows")).to_contain_text("new here")
        page.screenshot(path=pictures / "novel.png")

    def new_one(self, receiver: ReceiverProcess) -> dict[str, Any]:
        """Return the cluster of an alert of a kind that was not there before."""
        number = len(receiver.clusters(state="all"))
        name = "Unheard" + chr(65 + number)
        labels = {"alertname": name, "severity": "warning", "rack": f"r{number}"}
        post(receiver, body(entry(name, starts=99_000 * number, labels=labels)))
        receiver.settle()
        (told,) = receiver.alerts(q=name)
        found: dict[str, Any] = receiver.read(f"clusters/{told['cluster_id']}")
        return found


class TestHowMuchOfThePast:
    def test_by_itself_it_is_what_there_is_to_see(
        self, receiver: ReceiverProcess, open_page: OpenPage
    ) -> None:
        post(receiver, alerts("DatabaseDown"))
        receiver.settle()
        page = opened(open_page(receiver.url))

        expect(page.get_by_role("radio", name="Auto")).to_be_checked()
        expect(page.locator("#range-auto")).to_have_text("2 min")
        expect(page.locator("#flow-note")).to_have_text("last 2 min, a bar is 5 s")
        expect(page.locator("#table th.c-trend")).to_have_text("Last 2 min")

    def test_a_choice_is_kept_and_can_be_taken_back(
        self, receiver: ReceiverProcess, open_page: OpenPage
    ) -> None:
        page = opened(open_page(receiver.url))
        page.keyboard.press("5")
        expect(page.get_by_role("radio", name="6 h")).to_be_checked()
        page.reload()
        expect(page.get_by_role("radio", name="6 h")).to_be_checked()
        expect(page.locator("#flow-note")).to_have_text("last 6 h, a bar is 15 min")
        page.keyboard.press("1")

        expect(page.get_by_role("radio", name="Auto")).to_be_checked()
        assert page.evaluate("localStorage.getItem('stormcell.range')") is None


class TestWhatItSurvives:
    def test_a_killed_receiver_leaves_the_picture_and_its_return_brings_the_rest(
        self, receiver: ReceiverProcess, open_page: OpenPage
    ) -> None:
        post(receiver, alerts("DatabaseDown"))
        receiver.settle()
        page = opened(open_page(receiver.url))
        page.evaluate("window.same = true")
        expect(page.locator("#rows")).to_contain_text("Database down")
        receiver.kill()
        expect(page.locator("#connection-words")).not_to_have_text("Live")
        expect(page.locator("#rows")).to_contain_text("Database down")
        expect(page.locator("#stale")).to_be_visible()
        receiver.start()
        post(receiver, alerts("DiskFull", node="n1"))

        expect(page.locator("#connection-words")).to_have_text("Live")
        expect(page.locator("#rows")).to_contain_text("Database down")
        expect(page.locator("#firing")).to_have_text("2")
        assert page.evaluate("window.same") is True

    def test_another_database_is_another_history(
        self, make_receiver: MakeReceiver, open_page: OpenPage
    ) -> None:
        first = make_receiver("first")
        first.start()
        post(first, alerts("DatabaseDown"))
        first.settle()
        page = opened(open_page(first.url))
        expect(page.locator("#rows")).to_contain_text("Database down")
        first.stop()
        for path in first.storage.iterdir():
            path.unlink()
        first.start()

        expect(page.locator("#connection-words")).to_have_text("Live")
        expect(page.locator("#rows")).not_to_contain_text("Database down")

    def test_offline_and_back(self, receiver: ReceiverProcess, open_page: OpenPage) -> None:
        page = opened(open_page(receiver.url))
        receiver.kill()
        expect(page.locator("#connection-words")).not_to_have_text("Live")
        receiver.start()
        page.evaluate("window.dispatchEvent(new Event('online'))")

        opened(page)


class TestWhatItDoesNotLetIn:
    def test_hostile_text_changes_nothing_but_itself(
        self, receiver: ReceiverProcess, open_page: OpenPage, pictures: Path
    ) -> None:
        labels = {
            "alertname": HOSTILE["script"],
            "severity": HOSTILE["bidi"],
            "team": HOSTILE["script"],
        }
        hostile = entry(
            labels={**labels, "service": HOSTILE["long"], **HOSTILE},
            annotations={"summary": HOSTILE["script"], "runbook_url": HOSTILE["link"]},
            generatorURL=HOSTILE["link"],
        )
        post(receiver, body(hostile, entry("Harmless", labels={"alertname": "Harmless"})))
        receiver.settle()
        page = opened(open_page(receiver.url))
        elements = page.evaluate("document.querySelectorAll('script, img, iframe').length")
        page.locator("#rows tr").first.click()
        card = page.locator("#card")
        expect(card).to_contain_text("Members")
        page.wait_for_timeout(500)
        page.screenshot(path=pictures / "hostile.png")

        assert page.evaluate("window.taken") is None
        assert (
            elements
            == page.evaluate("document.querySelectorAll('script, img, iframe').length")
            == 1
        )
        assert page.evaluate("document.querySelectorAll('a[href^=javascript]').length") == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def test_a_token_is_asked_for_and_kept_to_this_tab(
        self, make_receiver: MakeReceiver, open_page: OpenPage, tmp_path: Path, pictures: Path
    ) -> None:
        token = tmp_path / "read.token"
        token.write_text("reader-" * 4)
        guarded = make_receiver(
            settings={
                "web.read_token_files": json.dumps([str(token)]),
                "web.anonymous_roles": "[webhook]",
            }
        )
        guarded.start()
        page = open_page(guarded.url)
        expect(page.locator("#token")).to_be_visible()
        page.screenshot(path=pictures / "token.png")
        page.locator("#token-input").fill("wrong-" * 4)
        page.keyboard.press("Enter")
        expect(page.locator("#token-failure")).to_be_visible()
        page.locator("#token-input").fill("reader-" * 4)
        page.keyboard.press("Enter")
        opened(page)
        post(guarded, alerts("DatabaseDown"))

        expect(page.locator("#rows")).to_contain_text("Database down")
        expect(page.locator("#token")).to_be_hidden()
        assert page.evaluate("Object.values(localStorage).join().includes('reader-')") is False
        assert "reader-" not in page.url


class TestEverybodyCanUseIt:
    @pytest.mark.parametrize(
        "options",
        [{}, {"color_scheme": "light"}, PHONE],
        ids=["dark", "light", "phone"],
    )
    def test_axe_finds_no_serious_fault(
        self, receiver: ReceiverProcess, open_page: OpenPage, options: dict[str, Any]
    ) -> None:
        post(receiver, alerts("DatabaseDown", "DatabaseSlow"))
        post(
            receiver,
            body(entry("DiskFull", labels={"alertname": "DiskFull", "severity": "warning"})),
        )
        receiver.settle()
        page = opened(open_page(receiver.url, **options))
        expect(page.locator("#rows tr").first).to_be_visible()
        faults = serious(page)
        page.locator("#rows tr").first.click()
        expect(page.locator("#card")).to_contain_text("Members")
        faults += serious(page)
        page.keyboard.press("Escape")
        page.locator("#open-search").click()
        page.locator("#search-text").fill("Database")
        page.keyboard.press("Enter")
        expect(page.locator("#search-results li").first).to_be_visible()
        faults += serious(page)

        assert faults == []


def serious(page: Page) -> list[str]:
    """Return what axe finds that is serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:200]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
