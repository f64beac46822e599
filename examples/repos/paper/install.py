"""Makes `import paper` work in this container: a line in site-packages that names this folder."""

import site
from pathlib import Path

here = Path(__file__).resolve().parent
site_packages = Path(site.getsitepackages()[0])
site_packages.mkdir(parents=True, exist_ok=True)
(site_packages / "paper.pth").write_text(f"{here}\n")
print(f"paper: installed from {here} into {site_packages}")
