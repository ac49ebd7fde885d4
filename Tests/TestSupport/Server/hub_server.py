#!/usr/bin/env python3
"""A hub on loopback for tests: serves a folder with the addresses, headers and redirects of the
Hugging Face Hub, and misbehaves on request. Needs nothing but Python.

    hub_server.py FOLDER          prints "HUB_PORT STORAGE_PORT" and serves until it is ended

FOLDER/models/ORG/NAME/REVISION/...      files; '/' in a revision is written '%2F'
FOLDER/datasets/ORG/NAME/REVISION/...    the same; a repository with a file .gated beside its
                                         revisions wants the token "hf_good", one with .private too
FOLDER/faults.json                       read before each request (see Faults)
FOLDER/requests.jsonl                    what was asked, one object a line

Large and binary files are redirected to a second server with signed addresses, as LFS files are to
the storage hosts of the hub; that server refuses requests that carry a token.
"""

import hashlib
import json
import pathlib
import random
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = pathlib.Path(sys.argv[1]).resolve()
TOKEN = "hf_good"
LFS_SUFFIXES = (".safetensors", ".parquet", ".bin", ".gz", ".zst", ".zip", ".bz2", ".xz")
LOCK = threading.Lock()
PAGE = 3  # entries of a page of /tree: small, so that paging is used


class Faults:
    """What goes wrong, by FOLDER/faults.json; a new file starts counting anew.

    cut: N            the next N bodies end at a random byte (seed: S)
    fail: [503, 429]  the next requests get these answers, with Retry-After where retry_after is set
    corrupt: {NAME: N}  the next N bodies of the file have a wrong byte (-1: all of them)
    ignore_range: true  a request for a part gets the whole file
    stall: NAME       the body of this file stops half-way, the connection stays open
    expire: N         the next N requests to the storage server are refused as expired
    down: true        connections are closed without an answer
    names: {NAME: NEW}  siblings are listed under other names
    without_siblings: true  the answer about a revision lists no files
    """

    def __init__(self):
        self.text = None
        self.load()

    def load(self):
        path = ROOT / "faults.json"
        text = path.read_text() if path.exists() else "{}"
        if text != self.text:
            self.text = text
            self.state = json.loads(text)
            self.random = random.Random(self.state.get("seed", 0))

    def take(self, name, key=None):
        """Whether a counted fault is due; counts it down."""
        holder = self.state if key is None else self.state.get(name, {})
        slot = name if key is None else key
        left = holder.get(slot, 0)
        if left > 0:
            holder[slot] = left - 1
        return left != 0


FAULTS = Faults()


def digest(data):
    return hashlib.sha256(data).hexdigest()


def git_digest(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def is_lfs(path):
    return path.name.endswith(LFS_SUFFIXES) or path.stat().st_size > 1_000_000


def commit_of(folder):
    """Follows the content, as a commit does."""
    state = hashlib.sha1(folder.as_posix().encode())
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        state.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return state.hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    is_storage = False

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.handle_any()

    def do_GET(self):
        self.handle_any()

    def do_POST(self):
        self.handle_any()

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length) if length else b""
        with LOCK:
            FAULTS.load()
            with open(ROOT / "requests.jsonl", "a") as log:
                entry = {
                    "method": self.command, "path": self.path, "storage": self.is_storage,
                    "token": self.headers.get("Authorization", ""),
                    "range": self.headers.get("Range", ""),
                }
                log.write(json.dumps(entry) + "\n")
            failures = FAULTS.state.get("fail", [])
            failure = failures.pop(0) if failures else None
            down = FAULTS.state.get("down")
        if down:
            self.close_connection = True
            return
        if failure:
            headers = {}
            if "retry_after" in FAULTS.state:
                headers["Retry-After"] = str(FAULTS.state["retry_after"])
            return self.reply(failure, b"try later", headers)
        try:
            self.serve_storage() if self.is_storage else self.serve_hub()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    # --- answers

    def reply(self, status, body=b"", headers=None, name=None):
        start, full = 0, body
        wanted = self.headers.get("Range")
        if status == 200 and name and wanted and not FAULTS.state.get("ignore_range"):
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            if start >= len(full):
                return self.reply(416, b"", {"Content-Range": f"bytes */{len(full)}"})
            status, body = 206, full[start:]
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(full) - 1}/{len(full)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        cut = None
        with LOCK:
            if name and body and FAULTS.take("cut"):
                cut = FAULTS.random.randrange(len(body))
            if name and body and FAULTS.take("corrupt", name):
                body = bytearray(body)
                body[len(body) // 2] ^= 1
            stalls = name and FAULTS.state.get("stall") == name
        if stalls:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            time.sleep(60)
        elif cut is not None:
            self.wfile.write(body[:cut])
            self.wfile.flush()
            self.close_connection = True
        else:
            self.wfile.write(body)

    def refuse(self, status, code, message):
        headers = {"X-Error-Message": message}
        if code:
            headers["X-Error-Code"] = code
        self.reply(status, json.dumps({"error": message}).encode(), headers)

    def json(self, value, headers=None):
        self.reply(200, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    # --- the storage server

    def serve_storage(self):
        url = urllib.parse.urlsplit(self.path)
        if self.headers.get("Authorization"):
            return self.reply(400, b"no tokens here")
        with LOCK:
            expired = FAULTS.take("expire")
        if expired or "signature=good" not in url.query:
            return self.reply(403, b"request has expired")
        path = ROOT / urllib.parse.unquote(url.path.removeprefix("/storage/"))
        self.reply(200, path.read_bytes(), {"ETag": '"not-the-digest"'}, name=path.name)

    # --- the hub

    def serve_hub(self):
        url = urllib.parse.urlsplit(self.path)
        parts = url.path.lstrip("/").split("/")
        if parts[0] == "api" and len(parts) > 1 and parts[1] == "resolve-cache":
            return self.serve_content(parts[2:])
        is_api = parts[0] == "api"
        if is_api:
            parts = parts[1:]
        kind = "models"
        if parts and parts[0] in ("models", "datasets"):
            kind = parts.pop(0)
        verbs = ("resolve", "revision", "tree", "paths-info")
        verb = next((i for i, part in enumerate(parts) if part in verbs), len(parts))
        name, rest = "/".join(parts[:verb]), parts[verb:]
        folder = ROOT / kind / name
        authorization = self.headers.get("Authorization", "")
        if authorization and authorization != f"Bearer {TOKEN}":
            return self.refuse(401, None, "Invalid credentials in Authorization header")
        if not name or not folder.is_dir() or ((folder / ".private").exists() and not authorization):
            return self.refuse(401, "RepoNotFound", "Repository not found")
        action = rest[0] if rest else "revision"
        revision = urllib.parse.unquote(rest[1]) if len(rest) > 1 else "main"
        files = self.revision_folder(folder, revision)
        if files is None:
            return self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        commit = commit_of(files)
        if action == "resolve":
            if (folder / ".gated").exists() and not authorization:
                return self.refuse(401, "GatedRepo", "Access to this repository is restricted")
            if (folder / ".forbidden").exists():
                return self.refuse(403, "GatedRepo", "Your request for access awaits a review")
            return self.resolve(files, commit, urllib.parse.unquote("/".join(rest[2:])))
        if action == "revision":
            information = {
                "id": name, "sha": commit, "private": False, "gated": False, "tags": [],
                "siblings": [
                    {"rfilename": FAULTS.state.get("names", {}).get(path, path)}
                    for path in self.names(files)
                ],
            }
            if FAULTS.state.get("without_siblings"):
                del information["siblings"]
            return self.json(information)
        if action == "paths-info":
            wanted = urllib.parse.parse_qs(self.body.decode()).get("paths", [])
            if self.headers.get("Content-Type", "").startswith("application/json"):
                wanted = json.loads(self.body)["paths"]
            entries = [self.entry(files, path) for path in wanted if (files / path).exists()]
            return self.json(entries)
        return self.tree(files, urllib.parse.unquote("/".join(rest[2:])), url)

    def revision_folder(self, folder, revision):
        named = folder / revision.replace("/", "%2F")
        if named.is_dir():
            return named
        for candidate in folder.iterdir():
            if candidate.is_dir() and commit_of(candidate) == revision:
                return candidate
        return None

    def names(self, files):
        return sorted(
            p.relative_to(files).as_posix() for p in files.rglob("*") if p.is_file())

    def entry(self, files, path):
        file = files / path
        if file.is_dir():
            return {"type": "directory", "oid": "0" * 40, "size": 0, "path": path}
        data = file.read_bytes()
        entry = {"type": "file", "oid": git_digest(data), "size": len(data), "path": path}
        if is_lfs(file):
            entry["lfs"] = {"oid": digest(data), "size": len(data), "pointerSize": 134}
        return entry

    def tree(self, files, below, url):
        query = urllib.parse.parse_qs(url.query)
        recursive = query.get("recursive", ["false"])[0].lower() == "true"
        base = files / below if below else files
        if not base.is_dir():
            return self.refuse(404, "EntryNotFound", "not found")
        found = sorted(base.rglob("*") if recursive else base.iterdir())
        paths = [p.relative_to(files).as_posix() for p in found]
        start = int(query.get("cursor", ["0"])[0])
        headers = {}
        if start + PAGE < len(paths):
            target = f"{url.path}?recursive={str(recursive).lower()}&cursor={start + PAGE}"
            headers["Link"] = f'<http://{self.headers["Host"]}{target}>; rel="next"'
        self.json([self.entry(files, path) for path in paths[start : start + PAGE]], headers)

    def resolve(self, files, commit, name):
        path = files / name
        if not path.is_file() or ".." in name.split("/"):
            self.send_missing(commit)
            return
        data = path.read_bytes()
        if is_lfs(path):
            target = urllib.parse.quote(path.relative_to(ROOT).as_posix())
            return self.reply(302, b"", {
                "Location": f"http://127.0.0.1:{STORAGE_PORT}/storage/{target}?signature=good",
                "X-Repo-Commit": commit, "X-Linked-Etag": f'"{digest(data)}"',
                "X-Linked-Size": str(len(data)), "ETag": '"pointer"'})
        target = urllib.parse.quote(path.relative_to(ROOT).as_posix())
        self.reply(307, b"", {
            "Location": f"/api/resolve-cache/{commit}/{target}", "X-Repo-Commit": commit,
            "X-Linked-Etag": f'"{git_digest(data)}"', "X-Linked-Size": str(len(data))})

    def send_missing(self, commit):
        body = b"Entry not found"
        self.reply(404, body, {
            "X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found",
            "X-Repo-Commit": commit})

    def serve_content(self, parts):
        path = ROOT / urllib.parse.unquote("/".join(parts[1:]))
        data = path.read_bytes()
        self.reply(
            200, data, {"ETag": f'"{git_digest(data)}"', "X-Repo-Commit": parts[0]}, name=path.name)


class StorageHandler(Handler):
    is_storage = True


hub = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
storage = ThreadingHTTPServer(("127.0.0.1", 0), StorageHandler)
hub.daemon_threads = storage.daemon_threads = True
STORAGE_PORT = storage.server_address[1]
threading.Thread(target=storage.serve_forever, daemon=True).start()
print(hub.server_address[1], STORAGE_PORT, flush=True)
threading.Thread(target=hub.serve_forever, daemon=True).start()
sys.stdin.read()  # ends with the test that started it
