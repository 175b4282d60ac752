package dev.nibble.quant.hqq;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Groups;
import dev.nibble.compute.weights.Groups.Axis;

/**
 * How a checkpoint packs codes: those of the grouped matrix [R, C], which is the flattened weight
 * as [groups, size] along inputs and as [size, groups] along outputs. An element holds the codes of
 * as many rows, R / codes apart, the first in its highest bits: 8, 4, 2 or 1 of 1, 2, 4 or 8 bits
 * in a U8, and ten of three bits in an I32, whose two highest bits are 0; there R is padded with
 * zeros to a multiple of ten.
 *
 * @param bits of a code
 * @param rows R
 * @param cols C
 */
record HqqPacking(int bits, long rows, long cols) {
  private static final int TENS = 10;

  /** Of a weight's codes. */
  static HqqPacking of(int bits, Groups groups, long elements) {
    long count = groups.count(elements);
    return groups.axis() == Axis.INPUTS
        ? new HqqPacking(bits, count, groups.size())
        : new HqqPacking(bits, groups.size(), count);
  }

  /** The name that checkpoints give it. */
  String name() {
    return bits == 3 ? "3bit_32" : bits + "bit_u8";
  }

  /** Codes of an element. */
  int codes() {
    return bits == 3 ? TENS : Byte.SIZE / bits;
  }

  DType dtype() {
    return bits == 3 ? DType.I32 : DType.U8;
  }

  /** Whether rows can be packed: any number of three bits, else as many as elements hold. */
  boolean fits() {
    return bits == 3 || rows % codes() == 0;
  }

  Shape shape() {
    return Shape.of(Math.ceilDiv(rows, (long) codes()), cols);
  }

  /** The codes of packed elements on the host, in the order of the flattened weight. */
  byte[] unpack(Tensor packed) {
    byte[] all = new byte[Math.toIntExact(rows * cols)];
    int mask = (1 << bits) - 1;
    long elements = packed.elements();
    for (long e = 0; e < elements; e++) {
      int word = packed.getInt(e);
      for (int part = 0; part < codes(); part++) {
        long at = e + part * elements;
        if (at < all.length) {
          all[(int) at] = (byte) ((word >> shift(part)) & mask);
        }
      }
    }
    return all;
  }

  /** Sets packed elements from the codes of {@code in}, all on the host. */
  void pack(Affine in, Tensor packed) {
    long elements = packed.elements();
    for (long e = 0; e < elements; e++) {
      int word = 0;
      for (int part = 0; part < codes(); part++) {
        long at = e + part * elements;
        if (at < rows * cols) {
          word |= in.code(at) << shift(part);
        }
      }
      packed.setLong(e, word);
    }
  }

  private int shift(int part) {
    return bits * (codes() - 1 - part);
  }
}
