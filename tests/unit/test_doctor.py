"""The doctor has a cure for each fault, and no fault where all is well."""

import subprocess
import sys

from llmbook_utils import doctor


def test_missing_and_outdated_packages_get_a_cure():
    missing = doctor.check_requirement("no-such-package-here>=1")
    assert missing.value.startswith("missing")
    assert missing.cure == "pip install 'no-such-package-here>=1'"
    outdated = doctor.check_requirement("numpy>=99")
    assert outdated.cure == "pip install 'numpy>=99'"


def test_offline_is_no_fault(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    finding = doctor._check_network()
    assert finding.value.startswith("offline") and not finding.cure
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE=1" in doctor._check_network().value


def test_low_memory_is_a_fault(monkeypatch):
    import psutil

    class Memory:
        available, total = 1 * doctor.GIB, 8 * doctor.GIB

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    finding = doctor._check_memory()
    assert finding.value == "1.0 GiB free of 8.0 GiB"
    assert "close programs" in finding.cure


def test_doctor_command_reports_every_core_package():
    run = subprocess.run(
        [sys.executable, "-m", "llmbook_press.cli", "doctor"],
        capture_output=True,
        text=True,
        check=False,
    )
    for word in ("Python", "torch", "plotly", "device", "memory", "network", "pydocs"):
        assert word in run.stdout
    assert run.returncode == int("FAULT" in run.stdout)
