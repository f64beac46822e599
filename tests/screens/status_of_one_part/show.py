"""`status search`: everything that is known of a part, wrapped at blanks; its path stays whole."""

from recorded import SHOP

from dusty_tasks.verbs import status

search = next(row for row in SHOP["stack"] if row["name"] == "search")
status.show(
    {
        **SHOP,
        "stack": [
            {**search, "repos": ["github.com/acme/search"], "stats": {"cpu_percent": 12.5, "memory_bytes": 734003200}}
        ],
        "repos": SHOP["repos"][1:],
    },
    is_detailed=True,
)
