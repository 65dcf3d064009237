"""What ``llmbook doctor`` finds: Python, packages, device, memory, network, corpus."""

import os
import platform
import socket
import sys
from dataclasses import dataclass
from importlib import metadata
from urllib.parse import urlsplit

from llmbook_utils.runtime import pick_device

GIB = 2**30
MIN_MEMORY_GIB = 4.0


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report; ``cure`` is empty when all is well."""

    name: str
    value: str
    cure: str = ""


def _check_python() -> Finding:
    where = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info >= (3, 14):
        cure = "use Python 3.11, 3.12 or 3.13, which the book is tested on"
        return Finding("Python", where, cure)
    return Finding("Python", where)


def check_requirement(requirement: str) -> Finding:
    """Compare an installed package with the range that the book asks for.

    Parameters
    ----------
    requirement : str
        A requirement of packaging's grammar, for example ``"torch>=2.9,<3"``.

    Returns
    -------
    Finding
        With a cure if the package is missing or out of range.

    Examples
    --------
    >>> check_requirement("numpy>=2.0,<3").cure
    ''
    >>> check_requirement("numpy>=99").cure
    "pip install 'numpy>=99'"
    """
    from packaging.requirements import Requirement

    wanted = Requirement(requirement)
    cure = f"pip install '{requirement}'"
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return Finding(wanted.name, f"missing (needs {wanted.specifier})", cure)
    if not wanted.specifier.contains(found, prereleases=True):
        return Finding(wanted.name, f"{found} (needs {wanted.specifier})", cure)
    return Finding(wanted.name, f"{found} ({wanted.specifier})")


def _check_packages() -> list[Finding]:
    try:
        needed = metadata.requires("llmbook") or []
    except metadata.PackageNotFoundError:
        cure = "run `pip install -e .` in the repository"
        return [Finding("llmbook", "not installed", cure)]
    core = [line for line in needed if "extra ==" not in line]
    own = Finding("llmbook", metadata.version("llmbook"))
    return [own, *map(check_requirement, sorted(core, key=str.lower))]


def _check_device() -> Finding:
    try:
        device = pick_device()
    except ImportError as error:
        return Finding("device", f"torch does not import: {error}", "reinstall torch")
    except ValueError as error:
        return Finding("device", "not usable", str(error))
    if device.type == "cpu":
        import torch

        return Finding("device", f"cpu, {torch.get_num_threads()} threads")
    import torch

    return Finding("device", f"cuda, {torch.cuda.get_device_name()}")


def _check_memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    free, total = memory.available / GIB, memory.total / GIB
    value = f"{free:.1f} GiB free of {total:.1f} GiB"
    if free < MIN_MEMORY_GIB:
        cure = f"close programs until {MIN_MEMORY_GIB:.0f} GiB are free"
        return Finding("memory", value, cure)
    return Finding("memory", value)


def _check_network() -> Finding:
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    if os.environ.get("HF_HUB_OFFLINE") == "1":
        return Finding("network", "off by HF_HUB_OFFLINE=1; the book needs none")
    address = urlsplit(endpoint)
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "", port), timeout=3).close()
    except (OSError, ValueError):
        return Finding(
            "network", f"offline ({endpoint} not reached); the book needs none"
        )
    return Finding("network", f"online ({endpoint})")


def _check_corpus() -> Finding:
    from llmbook_utils.text.corpora import load_corpus

    try:
        documents = load_corpus("pydocs")
    except (ValueError, OSError) as error:
        return Finding("pydocs", "not readable", str(error))
    size = sum(map(len, documents)) / 1e6
    return Finding("pydocs", f"{len(documents)} documents, {size:.1f} M characters")


def examine() -> list[Finding]:
    """Look at everything that the book's chapters stand on.

    Returns
    -------
    list of Finding
        Python, packages, device, memory, network and the corpus, in that order.
    """
    return [
        _check_python(),
        *_check_packages(),
        _check_device(),
        _check_memory(),
        _check_network(),
        _check_corpus(),
    ]


def report(findings: list[Finding]) -> str:
    """Write findings as the text that a bug report asks for.

    Parameters
    ----------
    findings : list of Finding
        What `examine` found.

    Returns
    -------
    str
        One line each, with a cure under each fault, and the count of faults.

    Examples
    --------
    >>> print(report([Finding("device", "cpu"), Finding("memory", "1 GiB", "buy")]))
    ok     device   cpu
    FAULT  memory   1 GiB
           cure:    buy
    1 fault
    """
    width = max(len(finding.name) for finding in findings) + 2
    width = max(width, len("cure:  ") + 1)
    lines = []
    for finding in findings:
        mark = "FAULT" if finding.cure else "ok"
        lines.append(f"{mark:<7}{finding.name:<{width}} {finding.value}")
        if finding.cure:
            lines.append(f"{'':<7}{'cure:':<{width}} {finding.cure}")
    faults = sum(bool(finding.cure) for finding in findings)
    lines.append("1 fault" if faults == 1 else f"{faults or 'no'} faults")
    return "\n".join(lines)
