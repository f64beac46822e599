import unittest

from board import body, card, handle

QUOTE = {"text": "Less is more.", "author": "Mies"}


class Page(unittest.TestCase):
    def test_a_notice_is_text_not_markup(self) -> None:
        self.assertIn("&lt;script&gt;", card(0, "<script>"))

    def test_an_empty_board_says_so(self) -> None:
        self.assertIn("Nothing is pinned", body([], QUOTE, QUOTE))

    def test_a_silent_neighbour_does_not_take_the_page_down(self) -> None:
        silent = {"text": "", "author": "", "problem": "connection refused"}
        self.assertIn("connection refused", body([], silent, QUOTE))

    def test_other_paths_are_not_here(self) -> None:
        self.assertIsNone(handle("GET", "/nothing", {}))


if __name__ == "__main__":
    unittest.main()
