import unittest

import notices


class Notices(unittest.TestCase):
    def setUp(self) -> None:
        notices.clear()

    def test_the_newest_comes_first(self) -> None:
        for text in ("one", "two words", "drei: üöä"):
            notices.post(text)
        self.assertEqual([text for _when, text in notices.all_notices()], ["drei: üöä", "two words", "one"])

    def test_only_fifty_are_kept(self) -> None:
        for number in range(55):
            notices.post(str(number))
        self.assertEqual(len(notices.all_notices()), 50)


if __name__ == "__main__":
    unittest.main()
