import unittest

from paper import Answer, page


class Page(unittest.TestCase):
    def test_plain_text_is_escaped(self) -> None:
        self.assertIn("&lt;b&gt;", page("<b>", "", ""))
        self.assertIn("&lt;i&gt;", page("", "<i>", ""))

    def test_body_is_html(self) -> None:
        self.assertIn("<p>hello</p>", page("", "", "<p>hello</p>"))

    def test_json_keeps_letters(self) -> None:
        self.assertEqual(Answer.of({"who": "Zoë"}).body.decode(), '{"who": "Zoë"}\n')


if __name__ == "__main__":
    unittest.main()
