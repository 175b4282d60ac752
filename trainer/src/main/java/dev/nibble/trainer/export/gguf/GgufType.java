package dev.nibble.trainer.export.gguf;

import dev.nibble.compute.tensor.Shape;

/** How a GGUF file stores the values of a tensor. */
public enum GgufType {
  /** IEEE binary32. */
  F32(0, 0, 1, 4),
  /** IEEE binary16, rounded to nearest even. */
  F16(1, 1, 1, 2),
  /** The upper half of binary32, rounded to nearest even. */
  BF16(30, 32, 1, 2),
  /** 32 values share an F16 scale; each is a signed byte. */
  Q8_0(8, 7, 32, 34),
  /** 32 values share an F16 scale; each is four bits. */
  Q4_0(2, 2, 32, 18);

  private final int id;
  private final int fileType;
  private final int blockSize;
  private final int blockBytes;

  GgufType(int id, int fileType, int blockSize, int blockBytes) {
    this.id = id;
    this.fileType = fileType;
    this.blockSize = blockSize;
    this.blockBytes = blockBytes;
  }

  /** The number that stands for it in a tensor's entry. */
  int id() {
    return id;
  }

  /** The number of a file most of whose tensors are of this type: general.file_type. */
  int fileType() {
    return fileType;
  }

  /** Values that are stored together. */
  int blockSize() {
    return blockSize;
  }

  /** True when rows of this shape are whole blocks. */
  boolean fits(Shape shape) {
    return shape.dim(-1) % blockSize == 0;
  }

  /** Bytes of so many values, which are whole blocks. */
  long bytes(long elements) {
    return elements / blockSize * blockBytes;
  }
}
