"""What the server refuses, whoever asks."""

import urllib.error
import urllib.request

import pytest


def status(url: str, **options) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, **options), timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_an_upload_from_another_page_is_refused(address):
    body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="../../x"\r\n\r\nhello\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert status(f"{address}_stcore/upload_file/a/b", data=body, method="PUT", headers=headers) == 403


@pytest.mark.parametrize(
    "path", ["app/static/../main.py", "media/../../README.md", "%2e%2e/README.md", "_stcore/../.streamlit/config.toml"]
)
def test_no_path_leads_out_of_what_is_served(address, path):
    assert status(address + path) in (400, 403, 404)


def test_the_page_itself_is_served(address):
    assert status(address) == 200
