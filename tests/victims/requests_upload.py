"""What python3-requests makes of a refused upload: requests_upload.py URL TIMES UPLOAD ANSWER"""

import sys

import requests


def main(url, times, upload, answer):
    with open(upload, "rb") as sent, open(answer, "rb") as told:
        sent, told = sent.read(), told.read()
    whole = 0
    for _ in range(int(times)):
        try:
            whole += requests.post(url, data=sent, timeout=60).content == told
        except requests.RequestException as error:
            print(error, file=sys.stderr)
    print(whole)


main(*sys.argv[1:])
