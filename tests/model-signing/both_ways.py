"""Every key, digest, and method, signed by one side and verified by the other, whole and altered."""

import os
import pathlib
import subprocess
import sys

from model_signing import hashing, signing, verifying

BARTIZAN = os.environ["BARTIZAN"]
WORK = pathlib.Path(sys.argv[1])
os.chdir(WORK)

MODEL = pathlib.Path("model")
FILES = {"a.txt": b"hi\n", "a-b.txt": b"x\n", "a/z": b"q\n", "with blank": b"1", "sub/w.bin": bytes(range(256)) * 9}
for name, content in FILES.items():
    path = MODEL / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)

CURVES = {"prime256v1": "p256", "secp384r1": "p384", "secp521r1": "p521"}
for curve, key in CURVES.items():
    subprocess.run(["openssl", "ecparam", "-name", curve, "-genkey", "-noout", "-out", f"{key}.pem"], check=True)
    subprocess.run(["openssl", "ec", "-in", f"{key}.pem", "-pubout", "-out", f"{key}.pub"], check=True, stderr=subprocess.DEVNULL)


def ours(*arguments):
    return subprocess.run([BARTIZAN, *arguments], capture_output=True, text=True)


def config(name):
    return {
        "sha256": hashing.Config(),
        "blake2b": hashing.Config().use_file_serialization(hashing_algorithm="blake2"),
        "blake3": hashing.Config().use_file_serialization(hashing_algorithm="blake3"),
        "shards": hashing.Config().use_shard_serialization(shard_size=1000),
    }[name]


def theirs_verify(key, signature, name):
    verifier = verifying.Config().use_elliptic_key_verifier(public_key=f"{key}.pub")
    # The reference cannot guess these two from a signature, not even from its own.
    if name in ("blake2b", "shards"):
        verifier = verifier.set_hashing_config(config(name))
    try:
        verifier.verify(MODEL, signature)
        return True
    except ValueError:
        return False


checks = 0


def check(what, said, expected):
    global checks
    checks += 1
    if said != expected:
        sys.exit(f"{what}: expected {expected}")


for key in CURVES.values():
    for name in ["sha256", "blake2b", "blake3", "shards"]:
        signer = signing.Config().use_elliptic_key_signer(private_key=f"{key}.pem").set_hashing_config(config(name))
        signer.sign(MODEL, "theirs.sig")
        method = ["--shards=1000"] if name == "shards" else ["--algorithm", name]
        made = ours("sign", "model", "--key", f"{key}.pem", "-o", "ours.sig", *method)
        check(f"we sign with {key}, {name}: {made.stderr}", made.returncode, 0)
        for altered in [False, True]:
            target = MODEL / "sub/w.bin"
            target.write_bytes(b"evil" if altered else FILES["sub/w.bin"])
            said = ours("verify", "model", "-s", "theirs.sig", "--key", f"{key}.pub")
            check(f"we verify {key}, {name}, altered {altered}: {said.stdout}", said.returncode, int(altered))
            check(f"they verify {key}, {name}, altered {altered}", theirs_verify(key, "ours.sig", name), not altered)
        (MODEL / "sub/w.bin").write_bytes(FILES["sub/w.bin"])

def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


# A root that certifies the key of P-384 for signatures.
openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "root.key",
        "-out", "root.pem", "-days", "30", "-subj", "/CN=root", "-addext", "keyUsage=critical,keyCertSign")
openssl("req", "-new", "-key", "p384.pem", "-out", "leaf.csr", "-subj", "/CN=leaf")
pathlib.Path("leaf.ext").write_text("basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n")
openssl("x509", "-req", "-in", "leaf.csr", "-CA", "root.pem", "-CAkey", "root.key", "-days", "30", "-out", "leaf.pem",
        "-extfile", "leaf.ext")
made = ours("sign", "model", "--key", "p384.pem", "--certificate", "leaf.pem", "-o", "ours.sig")
check(f"we sign with a certificate: {made.stderr}", made.returncode, 0)
verifying.Config().use_certificate_verifier(certificate_chain=["root.pem"]).verify(MODEL, "ours.sig")
checks += 1
signing.Config().use_certificate_signer(
    private_key="p384.pem", signing_certificate="leaf.pem", certificate_chain=["root.pem"]
).sign(MODEL, "theirs.sig")
said = ours("verify", "model", "-s", "theirs.sig", "--certificate-chain", "root.pem", "--identity", "CN=leaf")
check(f"we verify a certificate: {said.stdout}", said.returncode, 0)
said = ours("verify", "model", "-s", "theirs.sig", "--certificate-chain", "root.pem", "--identity", "CN=other")
check(f"we refuse another identity: {said.stdout}", said.returncode, 1)
print(f"model-signing both ways: {checks} checks passed")
