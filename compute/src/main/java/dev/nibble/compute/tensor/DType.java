package dev.nibble.compute.tensor;

/** Element types. All are little-endian in memory and on disk. */
public enum DType {
  /** IEEE binary64. */
  F64(8),
  /** IEEE binary32. */
  F32(4),
  /** The upper half of an F32. */
  BF16(2),
  /** IEEE binary16. */
  F16(2),
  /** Signed 64-bit integer. */
  I64(8),
  /** Signed 32-bit integer. */
  I32(4),
  /** Signed 16-bit integer. */
  I16(2),
  /** Signed 8-bit integer. */
  I8(1),
  /** Unsigned 8-bit integer; also two 4-bit codes, the first in the high half. */
  U8(1),
  /** One byte, 0 or 1. */
  BOOL(1);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes per element. */
  public int bytes() {
    return bytes;
  }

  /** True for F64, F32, BF16 and F16. */
  public boolean isFloating() {
    return switch (this) {
      case F64, F32, BF16, F16 -> true;
      default -> false;
    };
  }
}
