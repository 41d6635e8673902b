"""Every spelling of RPC gives the same model, with the centre of the first pixel at (0, 0)."""

from pathlib import Path

import pytest
from tests.unit.algo.test_rpc import simple

from swath.algo.rpc import Rpc
from swath.errors import MetadataError
from swath.readers.rpc.model import read_rpc, rpc_of_tags

_LISTS = ("line_num", "line_den", "samp_num", "samp_den")
_SCALARS = (
    "line_off", "samp_off", "lat_off", "long_off", "height_off", "line_scale", "samp_scale", "lat_scale", "long_scale",
    "height_scale",
)  # fmt: skip
_UNITS = {"line": "pixels", "samp": "pixels", "lat": "degrees", "long": "degrees", "height": "meters"}


def tags_of(rpc: Rpc) -> dict[str, str]:
    single = {name.upper(): f"{getattr(rpc, name):.17g}" for name in _SCALARS}
    return single | {f"{n.upper()}_COEFF": " ".join(f"{v:.17g}" for v in getattr(rpc, n)) for n in _LISTS}


def text_of(rpc: Rpc) -> str:
    lines = [f"{n.upper()}: {getattr(rpc, n):+.17g} {_UNITS[n.rpartition('_')[0]]}" for n in _SCALARS]
    lines += [f"{n.upper()}_COEFF_{i}: {v:+.17E}" for n in _LISTS for i, v in enumerate(getattr(rpc, n), start=1)]
    return "\n".join(lines)


def rpb_of(rpc: Rpc) -> str:
    names = {"off": "Offset", "scale": "Scale"}
    lines = ['satId = "QB02";', 'bandId = "P";', 'SpecId = "RPC00B";', "BEGIN_GROUP = IMAGE", "\terrBias = 56.01;"]
    lines += [f"\t{n.split('_')[0]}{names[n.split('_')[1]]} = {getattr(rpc, n):.17g};" for n in _SCALARS]
    for name in _LISTS:
        values = ",\n".join(f"\t\t\t{v:+.17E}" for v in getattr(rpc, name))
        lines.append(f"\t{name.split('_')[0]}{name.split('_')[1].capitalize()}Coef = (\n{values});")
    return "\n".join([*lines, "END_GROUP = IMAGE", "END;"])


def dimap_of(rpc: Rpc, *, profile: str, origin: float) -> str:
    lists = "".join(
        f"<{n.upper()}_COEFF_{i}>{v:.17g}</{n.upper()}_COEFF_{i}>" for n in _LISTS for i, v in enumerate(getattr(rpc, n), start=1)
    )
    shift = {"line_off": origin, "samp_off": origin}
    single = "".join(f"<{n.upper()}>{getattr(rpc, n) + shift.get(n, 0.0):.17g}</{n.upper()}>" for n in _SCALARS)
    direct = lists.replace(">", ">9", 1)
    return (
        f"<Dimap_Document><Metadata_Identification><METADATA_PROFILE>{profile}</METADATA_PROFILE></Metadata_Identification>"
        f"<Rational_Function_Model><Global_RFM><Direct_Model>{direct}</Direct_Model><Inverse_Model>{lists}</Inverse_Model>"
        f"<RFM_Validity>{single}</RFM_Validity></Global_RFM></Rational_Function_Model></Dimap_Document>"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("image_RPC.TXT", text_of(simple())),
        ("image_rpc.txt", text_of(simple()).replace(": ", " = ")),
        ("image.RPB", rpb_of(simple())),
        ("RPC_PHR1B.XML", dimap_of(simple(), profile="PHR_SENSOR", origin=1.0)),
        ("RPC_SPOT6.XML", dimap_of(simple(), profile="S6_SENSOR", origin=1.0)),
        ("RPC_PNEO3.XML", dimap_of(simple(), profile="PNEO_SENSOR", origin=0.0)),
    ],
)
def test_every_spelling_is_the_same_model(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    found, expected = read_rpc(str(path)), simple()
    assert found.coefficients == pytest.approx(expected.coefficients, abs=1e-15)
    assert found.scalars == pytest.approx(expected.scalars, abs=1e-9)


def test_tags_of_a_raster_are_the_same_model() -> None:
    assert rpc_of_tags(tags_of(simple())) == simple()


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    tags = tags_of(simple())
    del tags["HEIGHT_OFF"]
    with pytest.raises(MetadataError, match=r"the RPC of the image is incomplete.*no HEIGHT_OFF"):
        rpc_of_tags(tags)
    path = tmp_path / "image_RPC.TXT"
    path.write_text(text_of(simple()).replace("SAMP_DEN_COEFF_20", "SAMP_DEN_COEFF_21"), encoding="utf-8")
    with pytest.raises(MetadataError, match=r"no SAMP_DEN_COEFF in .*image_RPC.TXT"):
        read_rpc(str(path))


def test_a_profile_that_does_not_tell_its_origin_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "RPC_X.XML"
    path.write_text(dimap_of(simple(), profile="NEW_SENSOR", origin=0.0), encoding="utf-8")
    with pytest.raises(MetadataError, match=r"does not tell where its pixels are counted from.*got NEW_SENSOR"):
        read_rpc(str(path))


def test_real_models_of_tags_and_dimap_agree(scenes: Path) -> None:
    import rasterio  # noqa: PLC0415

    folder = scenes / "shareloc" / "rpc"
    name = "PHR1B_P_201709281038393_SEN_PRG_FC_178609-001"
    with rasterio.open(folder / f"{name}.tif") as source:
        tags = source.tags(ns="RPC")
    ours, dimap = rpc_of_tags(tags), read_rpc(str(folder / f"RPC_{name}.XML"))
    assert ours.scalars == pytest.approx(dimap.scalars, abs=1e-9)
