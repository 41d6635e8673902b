"""Models are signed by a key that stays in a token: SoftHSM's, by PKCS#11."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy.environments import environment
from tests.tiny_model import key_pair

from swath.errors import ConfigError
from swath.inference.signature import sign, signature_beside, verify
from swath.inference.trusted_keys import keys_of

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """URI of a key in a token of its own, and the public key."""
    program = shutil.which("softhsm2-util")
    if program is None or not MODULE.is_file():
        pytest.skip("SoftHSM is not installed: make token (apt-get install softhsm2)")
    packages = environment("token").parent.parent / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    monkeypatch.syspath_prepend(str(packages))
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n", encoding="utf-8")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    private, public = key_pair(tmp_path, "key")
    pins = ("--pin", "1234", "--so-pin", "5678")
    for words in (
        ("--init-token", "--free", "--label", "release", *pins),
        ("--import", str(private), "--token", "release", "--label", "models", "--id", "01", "--pin", "1234"),
    ):
        subprocess.run([program, *words], check=True, capture_output=True)
    private.unlink()
    (tmp_path / "pin").write_text("1234", encoding="utf-8")
    return f"pkcs11:token=release;object=models?module-path={MODULE}&pin-source={tmp_path / 'pin'}", public


@pytest.mark.tools
def test_a_key_in_a_token_signs_and_its_public_key_verifies(token: tuple[str, Path], tmp_path: Path) -> None:
    uri, public = token
    model = tmp_path / "model"
    model.mkdir()
    (model / "card.md").write_text("a model", encoding="utf-8")
    sign(model, key=Path(uri), signature=signature_beside(model))
    keys = keys_of(str(public))
    assert verify(model, signature=signature_beside(model), keys=keys) == keys[0].hint
    (model / "card.md").write_text("another", encoding="utf-8")
    with pytest.raises(ConfigError, match="these are not the files that were signed"):
        verify(model, signature=signature_beside(model), keys=keys)
    with pytest.raises(ConfigError, match=r"object=nothing: not a key that signs models .*nothing"):
        sign(model, key=Path(uri.replace("object=models", "object=nothing")), signature=signature_beside(model))
    with pytest.raises(ConfigError, match=r"object=models: not a key that signs models") as told:
        sign(model, key=Path(uri.replace("token=release", "token=other")), signature=signature_beside(model))
    assert "pin" not in str(told.value).partition("say how")[2]


def test_without_its_library_a_token_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PyKCS11", None)
    # an import before this one left its module in both places
    monkeypatch.delitem(sys.modules, "model_signing._signing.sign_pkcs11", raising=False)
    monkeypatch.delattr("model_signing._signing.sign_pkcs11", raising=False)
    with pytest.raises(
        ConfigError, match=r"pkcs11:object=x: keys of tokens need another library: pip install 'model-signing\[pk"
    ):
        sign(tmp_path, key=Path("pkcs11:object=x?pin-value=1"), signature=tmp_path / "x.sig")
