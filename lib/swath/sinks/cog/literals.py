"""DEFLATE streams of literals alone: one Huffman code a block, one look-up a pixel. For noise, in which matches find nothing."""

from dataclasses import dataclass

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from swath.compiled import compiled

#: Longest code [bits]: a pair of pixels takes four codes at most, which with seven bits held fit a word of 64.
LONGEST = 13
#: Literals, and the end of a block.
SYMBOLS = 257
#: One row in so many is counted for the code; every byte keeps a code, so that any block can be written.
SAMPLED = 4
#: The zlib header of the fastest level, window of 32 KiB.
_ZLIB = b"\x78\x01"
#: What a block says first, from the lowest bit: last block, dynamic codes; 257 literals, two distances, 19 lengths of lengths.
_BEGIN = ((5, 3), (0, 5), (1, 5), (15, 4))
#: Then those lengths: none for the three symbols that repeat, four bits for each length of a code.
_LENGTHS = (*((0, 3),) * 3, *((4, 3),) * 16)
_FRONT = np.array([value >> bit & 1 for value, bits in (*_BEGIN, *_LENGTHS) for bit in range(bits)], dtype=np.uint8)
#: Behind the literals' lengths, two distances of one bit; they are never used, but some decoders want a whole code.
_DISTANCES = np.array([0, 0, 0, 1] * 2, dtype=np.uint8)
_FREE = -(_FRONT.size + 4 * SYMBOLS + _DISTANCES.size) % 8
#: Room for the end of a block and the last store of eight bytes.
_BEHIND = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteCounts:
    """Bytes of a block's sampled rows.

    Args:
        counts: Count of each byte value, (256,).
        repeats: Words of two bytes that are 0: with differences, pixels that repeat their neighbour.
        words: Words of the sampled rows: pixels, or pairs of pixels of one byte.
    """

    counts: NDArray[np.int64]
    repeats: int
    words: int

    @property
    def bits(self) -> float:
        """Order-0 entropy of the two bytes of a word [bits]: what a code of literals alone can reach.

        To a millionth: the last bits of a sum of logarithms differ between processors, and a codec is chosen by it.
        """
        seen = self.counts[self.counts > 0]
        return round(float(np.log2(seen.sum() / seen) @ seen) / self.words, 6)


def counted(block: NDArray[np.integer]) -> ByteCounts:
    """Count bytes of every fourth row.

    Args:
        block: Stored numbers of one or two bytes, little-endian, (y, x), an even number of them in a row.
    """
    words, counts = _words(block), np.zeros((2, 256), dtype=np.int64)
    repeats = _count(words, SAMPLED, counts)
    return ByteCounts(counts=counts.sum(axis=0), repeats=repeats, words=words[::SAMPLED].size)


def encoded(block: NDArray[np.integer], counts: ByteCounts) -> bytes:
    """A zlib stream of literals.

    Args:
        block: As for ``counted``; the words are an even number.
        counts: Counts of this block; others cost bytes alone.
    """
    words, lengths = _words(block).reshape(-1), code_lengths(counts.counts)
    codes, table = np.empty(SYMBOLS, dtype=np.uint32), np.empty((1 << 16) + 1, dtype=np.uint32)
    _fill(lengths, codes, table)
    front = _header(lengths)
    out = np.empty(front.size + words.size * 2 * LONGEST // 8 + _BEHIND, dtype=np.uint8)
    out[: front.size] = front
    length = _write(words, table, out, front.size, _FREE)
    return out[:length].tobytes() + isal_zlib.adler32(block).to_bytes(4, "big")


def _header(lengths: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Everything before the first literal, bytes; the last one has ``_FREE`` bits left."""
    # A code length is one of 16 symbols of four bits each, written as itself from its highest bit.
    each = np.unpackbits(lengths[:, None], axis=1)[:, 4:].ravel()
    return np.append(np.frombuffer(_ZLIB, np.uint8), np.packbits(np.concatenate([_FRONT, each, _DISTANCES]), bitorder="little"))


def _words(block: NDArray[np.integer]) -> NDArray[np.uint16]:
    """Pairs of bytes as numbers whose low byte is the first in the file."""
    return block.view("<u2").astype(np.uint16, copy=False)


def code_lengths(counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Lengths of a prefix code of all bytes and the end of a block [bits], at most ``LONGEST``, (257,).

    Args:
        counts: Count of each byte value, (256,); those that are 0 have a code too.
    """
    weights = np.append(counts + 1, 1)
    order = np.argsort(weights, kind="stable")
    sizes = _sizes(weights[order], LONGEST)
    lengths = np.empty(SYMBOLS, dtype=np.uint8)
    # The rarest symbols get the longest codes.
    lengths[order] = np.repeat(np.arange(LONGEST, 0, -1, dtype=np.uint8), sizes[:0:-1])
    return lengths


@compiled
def _count(words: NDArray[np.uint16], step: int, counts: NDArray[np.int64]) -> int:
    """Count low and high bytes, (2, 256), of one row in ``step``; the zeros."""
    zeros = 0
    for y in range(0, words.shape[0], step):
        row = words[y]
        for x in range(row.shape[0]):
            word = row[x]
            counts[0, word & 0xFF] += 1
            counts[1, word >> 8] += 1
            zeros += word == 0
    return zeros


@compiled
def _sizes(weights: NDArray[np.int64], longest: int) -> NDArray[np.int64]:
    """Number of codes of each length, (longest + 1,), of Huffman's code of ascending weights, shortened to ``longest``.

    Two queues make the tree (leaves and inner nodes, both ascending). Codes that are too long become ``longest``; for each that
    is then too many, a shorter code becomes two longer ones.
    """
    leaves = weights.shape[0]
    total, parent = np.zeros(leaves - 1, dtype=np.int64), np.zeros(2 * leaves - 1, dtype=np.int64)
    leaf = inner = 0
    for made in range(leaves - 1):
        for _ in range(2):
            if inner >= made or (leaf < leaves and weights[leaf] <= total[inner]):
                total[made] += weights[leaf]
                parent[leaf] = leaves + made
                leaf += 1
            else:
                total[made] += total[inner]
                parent[leaves + inner] = leaves + made
                inner += 1
    depth, sizes = np.zeros(2 * leaves - 1, dtype=np.int64), np.zeros(longest + 1, dtype=np.int64)
    for node in range(2 * leaves - 3, -1, -1):
        depth[node] = depth[parent[node]] + 1
        if node < leaves:
            sizes[min(depth[node], longest)] += 1
    used = 0
    for length in range(1, longest + 1):
        used += sizes[length] << (longest - length)
    while used > 1 << longest:
        length = longest - 1
        while sizes[length] == 0:
            length -= 1
        sizes[length] -= 1
        sizes[length + 1] += 2
        sizes[longest] -= 1
        used -= 1
    return sizes


@compiled
def _fill(lengths: NDArray[np.uint8], codes: NDArray[np.uint32], table: NDArray[np.uint32]) -> None:
    """Codes of a prefix code, (257,), turned to be written from their highest bit; and a table of pairs of bytes, (65537,).

    An entry has both codes, the low byte's first, and their length above bit 27; the last one is the end of a block.
    """
    code = 0
    for length in range(1, 14):
        for symbol in range(lengths.shape[0]):
            if lengths[symbol] == length:
                turned, rest = 0, code
                for _ in range(length):
                    turned = turned << 1 | rest & 1
                    rest >>= 1
                codes[symbol] = turned
                code += 1
        code <<= 1
    for high in range(256):
        above, longer = codes[high], np.uint32(lengths[high])
        row = table[high << 8 : (high + 1) << 8]
        for low in range(256):
            shorter = np.uint32(lengths[low])
            row[low] = codes[low] | above << shorter | (shorter + longer) << np.uint32(27)
    table[1 << 16] = codes[256] | np.uint32(lengths[256]) << np.uint32(27)


@compiled
def _write(  # noqa: PLR0917 (compiled functions take positions)
    words: NDArray[np.uint16], table: NDArray[np.uint32], out: NDArray[np.uint8], begun: int, free: int
) -> int:
    """Write words and the end of a block behind the first ``begun`` bytes, whose last has ``free`` bits left; bytes in use.

    Eight bytes are stored for each two words, and written over from where the last code ended: no branch.
    """
    seven, top, mask, byte = np.uint64(7), np.uint64(27), np.uint64((1 << 27) - 1), np.uint64(255)
    place, held, bits = np.uint64(begun - 1), np.uint64(out[begun - 1]), np.uint64(8 - free)
    for pair in range(words.shape[0] >> 1):
        first, second = np.uint64(table[words[2 * pair]]), np.uint64(table[words[2 * pair + 1]])
        held |= (first & mask) << bits
        bits += first >> top
        held |= (second & mask) << bits
        bits += second >> top
        # Spelled out, these are one store.
        out[place] = held & byte
        out[place + np.uint64(1)] = held >> np.uint64(8) & byte
        out[place + np.uint64(2)] = held >> np.uint64(16) & byte
        out[place + np.uint64(3)] = held >> np.uint64(24) & byte
        out[place + np.uint64(4)] = held >> np.uint64(32) & byte
        out[place + np.uint64(5)] = held >> np.uint64(40) & byte
        out[place + np.uint64(6)] = held >> np.uint64(48) & byte
        out[place + np.uint64(7)] = held >> np.uint64(56)
        place += bits >> np.uint64(3)
        held >>= bits & ~seven
        bits &= seven
    end = np.uint64(table[1 << 16])
    held |= (end & mask) << bits
    bits += end >> top
    for number in range(4):
        out[place + np.uint64(number)] = held >> np.uint64(8 * number) & byte
    return int(place + (bits + seven >> np.uint64(3)))
