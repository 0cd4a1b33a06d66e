"""The README's picture of the page, and how quick it is: ``python -m tests.demonstration.picture FILE``.

Takes the models of ``models/`` and a Chromium, opens the page, asks a text ten times, and prints milliseconds as a
person would wait them, from key to result.
"""

from __future__ import annotations

import base64
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from stages.demonstration.page import EXAMPLE
from stages.demonstration.readers import read_all
from stages.demonstration.server import Server
from tests.browser import chromium, emulate

WAITED = """
const [text, done] = arguments, field = document.getElementById('text'), start = performance.now();
const seen = () => { const p = document.querySelector('.text').cloneNode(true);
  p.querySelectorAll('i').forEach((label) => label.remove()); return p.textContent === text; };
new MutationObserver((_, me) => { if (seen()) { me.disconnect();
  requestAnimationFrame(() => done(performance.now() - start)); } })
  .observe(document.getElementById('results'), {childList: true});
field.value = text;
field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', ctrlKey: true}));
"""
PAINTED = "return performance.getEntriesByName('first-contentful-paint')[0].startTime"


def main(path: Path, folder: Path, width: int = 1280, scheme: str = "light") -> None:
    """Write the picture to ``path``."""
    with Server(port=0) as server, tempfile.TemporaryDirectory() as profile:
        server.show(read_all(folder, print))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            with chromium(Path(profile)) as driver:
                emulate(driver, width, scheme)
                driver.get(server.address)
                time.sleep(1)
                print(f"opened with the example read: {driver.execute_script(PAINTED):.0f} ms")
                waits = [driver.execute_async_script(WAITED, f"{EXAMPLE} {i}") for i in range(10)]
                print(f"from key to result: {tell(waits)}")
                driver.refresh()
                path.write_bytes(picture(driver, width))
        finally:
            server.shutdown()
            thread.join()


def tell(waits: list[float]) -> str:
    """The first, the median and the longest."""
    return f"first {waits[0]:.0f} ms, median {statistics.median(waits):.0f} ms, longest {max(waits):.0f} ms"


def picture(driver: Any, width: int) -> bytes:
    """The page down to the end of its table, as PNG."""
    height = driver.execute_script("return document.querySelector('.places').getBoundingClientRect().bottom + 24")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    made = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    return base64.b64decode(made["data"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "models"))
