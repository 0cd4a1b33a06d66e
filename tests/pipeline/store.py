"""An S3 server on 127.0.0.1 with one bucket, which knows a key that may write and one that may only read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
import requests
from botocore.config import Config
from moto.server import ThreadedMotoServer

BUCKET = "shared"
NOWHERE = "http://127.0.0.1:9"  # the port of `discard`: nothing answers there


@dataclass(frozen=True)
class Key:
    """What a client signs its requests with."""

    name: str
    secret: str

    def environment(self, address: str) -> dict[str, str]:
        """The variables that lead a client with this key to a server."""
        return {
            "AWS_ACCESS_KEY_ID": self.name,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_ENDPOINT_URL": address,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }


class Store:
    """The server, its keys and what lies in its bucket."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._lock_after("inf")
        self._as(Key("nobody", "nothing"), "s3").create_bucket(Bucket=BUCKET)
        self.writer = self._key("writer", "s3:*")
        self.reader = self._key("reader", "s3:Get*", "s3:List*", "s3:Head*")
        self._lock_after("0")

    def _lock_after(self, requests_made: str) -> None:
        done = requests.post(f"{self.address}/moto-api/reset-auth", data=requests_made, timeout=10)
        assert done.ok, done.text

    def _as(self, key: Key, service: str):  # a client of boto3, which has no types
        return boto3.client(
            service, endpoint_url=self.address, region_name="us-east-1", aws_access_key_id=key.name,
            aws_secret_access_key=key.secret, config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip

    def _key(self, user: str, *actions: str) -> Key:
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam = self._as(Key("nobody", "nothing"), "iam")
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="bucket", PolicyDocument=policy)
        made = iam.create_access_key(UserName=user)["AccessKey"]
        return Key(made["AccessKeyId"], made["SecretAccessKey"])

    def objects(self) -> dict[str, int]:
        """Sizes in bytes of all objects of the bucket, by name."""
        pages = self._as(self.writer, "s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {found["Key"]: found["Size"] for page in pages for found in page.get("Contents", ())}

    def clear(self) -> None:
        """Leave an empty bucket."""
        for name in self.objects():
            self._as(self.writer, "s3").delete_object(Bucket=BUCKET, Key=name)

    def cut(self, name: str) -> None:
        """Leave the first half of an object."""
        client = self._as(self.writer, "s3")
        content = client.get_object(Bucket=BUCKET, Key=name)["Body"].read()
        client.put_object(Bucket=BUCKET, Key=name, Body=content[: len(content) // 2])


@contextmanager
def served() -> Iterator[Store]:
    """The server, until the block ends."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        requests.post(f"http://{host}:{port}/moto-api/reset", timeout=10)
        yield Store(f"http://{host}:{port}")
    finally:
        server.stop()
