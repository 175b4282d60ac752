package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.cpu.work.UncheckedMemory;
import jdk.incubator.vector.IntVector;

/** Transposes squares of 16 by 16 ints, on processors with AVX-512. */
final class Transpose16x16 {
  /** Rows and columns of a square. */
  static final int SIZE = 16;

  /** Bytes of a square whose rows lie one after another. */
  static final long SQUARE_BYTES = 4L * SIZE * SIZE;

  private static final long LINE = 4L * SIZE;

  private static final IntVector LOW_8 = lowLanes(8);
  private static final IntVector LOW_4 = lowLanes(4);
  private static final IntVector LOW_2 = lowLanes(2);
  private static final IntVector LOW_1 = lowLanes(1);
  private static final IntVector HIGH_8 = highLanes(8);
  private static final IntVector HIGH_4 = highLanes(4);
  private static final IntVector HIGH_2 = highLanes(2);
  private static final IntVector HIGH_1 = highLanes(1);

  private Transpose16x16() {}

  /** Lanes of two squares of a matrix that is turned by exchanging squares of this size. */
  private static IntVector lowLanes(int size) {
    int[] lanes = new int[SIZE];
    for (int j = 0; j < SIZE; j++) {
      lanes[j] = (j & size) == 0 ? j : SIZE + j - size;
    }
    return IntVector.fromArray(IntVector.SPECIES_512, lanes, 0);
  }

  private static IntVector highLanes(int size) {
    int[] lanes = new int[SIZE];
    for (int j = 0; j < SIZE; j++) {
      lanes[j] = (j & size) == 0 ? j + size : SIZE + j;
    }
    return IntVector.fromArray(IntVector.SPECIES_512, lanes, 0);
  }

  /**
   * to[j][i] = from[i][j]: squares of 8 and 4 exchanged first, then those of 2 and 1.
   *
   * @param fromRow bytes from one row to the next
   * @param half where {@link #SQUARE_BYTES} may be overwritten
   * @param toRow bytes from one row of the result to the next
   */
  static void turn(long from, long fromRow, long half, long to, long toRow) {
    for (int i = 0; i < 4; i++) {
      IntVector a = UncheckedMemory.load(from + fromRow * i);
      IntVector b = UncheckedMemory.load(from + fromRow * (i + 4));
      IntVector c = UncheckedMemory.load(from + fromRow * (i + 8));
      IntVector d = UncheckedMemory.load(from + fromRow * (i + 12));
      IntVector ac = LOW_8.selectFrom(a, c);
      IntVector ca = HIGH_8.selectFrom(a, c);
      IntVector bd = LOW_8.selectFrom(b, d);
      IntVector db = HIGH_8.selectFrom(b, d);
      long at = half + LINE * i;
      UncheckedMemory.store(LOW_4.selectFrom(ac, bd), at);
      UncheckedMemory.store(HIGH_4.selectFrom(ac, bd), at + LINE * 4);
      UncheckedMemory.store(LOW_4.selectFrom(ca, db), at + LINE * 8);
      UncheckedMemory.store(HIGH_4.selectFrom(ca, db), at + LINE * 12);
    }
    for (int i = 0; i < SIZE; i += 4) {
      long at = half + LINE * i;
      IntVector a = UncheckedMemory.load(at);
      IntVector b = UncheckedMemory.load(at + LINE);
      IntVector c = UncheckedMemory.load(at + LINE * 2);
      IntVector d = UncheckedMemory.load(at + LINE * 3);
      IntVector ac = LOW_2.selectFrom(a, c);
      IntVector ca = HIGH_2.selectFrom(a, c);
      IntVector bd = LOW_2.selectFrom(b, d);
      IntVector db = HIGH_2.selectFrom(b, d);
      long line = to + toRow * i;
      UncheckedMemory.store(LOW_1.selectFrom(ac, bd), line);
      UncheckedMemory.store(HIGH_1.selectFrom(ac, bd), line + toRow);
      UncheckedMemory.store(LOW_1.selectFrom(ca, db), line + toRow * 2);
      UncheckedMemory.store(HIGH_1.selectFrom(ca, db), line + toRow * 3);
    }
  }
}
