package dev.nibble.quant;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.LongStream;

/** A search for NaN and infinities, whose exponent has all bits set, eight bytes at a time. */
public final class NonFinite {
  private static final ValueLayout.OfLong WORD =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final long CHUNK = 1 << 16; // words

  private NonFinite() {}

  /** The first element that is not finite. The tensor is F64, F32, BF16 or F16, on the host. */
  public static OptionalLong first(Tensor t) {
    // Adding the lowest bit of the exponent carries into the sign where all its bits are set.
    return switch (t.dtype()) {
      case F64 -> first(t, 0x7ff0L << 48, 0x0010L << 48, 0x8000L << 48);
      case F32 -> first(t, 0x7f800000_7f800000L, 0x00800000_00800000L, 0x80000000_80000000L);
      case BF16 -> first(t, 0x7f807f80_7f807f80L, 0x00800080_00800080L, 0x80008000_80008000L);
      case F16 -> first(t, 0x7c007c00_7c007c00L, 0x04000400_04000400L, 0x80008000_80008000L);
      default -> throw new IllegalArgumentException("not floating-point: " + t);
    };
  }

  /**
   * Where a tensor has such an element, and which, for errors: {@code NaN at [3, 5]}. Empty when
   * all are finite.
   */
  public static Optional<String> find(Tensor t) {
    OptionalLong bad = first(t);
    if (bad.isEmpty()) {
      return Optional.empty();
    }
    long rest = bad.getAsLong();
    long[] index = new long[t.shape().rank()];
    for (int dim = index.length - 1; dim >= 0; dim--) {
      index[dim] = rest % t.dim(dim);
      rest /= t.dim(dim);
    }
    return Optional.of("%s at %s".formatted(t.getDouble(bad.getAsLong()), Arrays.toString(index)));
  }

  /**
   * Refuses a checkpoint's tensor that has such an element. A plan reads no weights.
   *
   * @param t as {@link #first} takes it
   * @param place where the tensor lies, for the error
   * @throws UnusableWeight when it has, naming the place, the tensor and the element
   */
  public static void refuse(Tensor t, String place, Kernels kernels) {
    if (!kernels.memory().isPlanned()) {
      refuse(t, place);
    }
  }

  /** The same whatever the kernels' memory is. */
  public static void refuse(Tensor t, String place) {
    find(t)
        .ifPresent(found -> {
          throw new UnusableWeight(
              "%s: tensor '%s' has %s; expected finite numbers. The file is damaged, or its values overflowed when it was saved as %s"
                  .formatted(place, t.name(), found, t.dtype()));
        });
  }

  /** In chunks on all cores: the first to touch a mapped file waits for its pages. */
  private static OptionalLong first(Tensor t, long exponent, long lowest, long sign) {
    MemorySegment memory = t.memory();
    long words = memory.byteSize() / Long.BYTES;
    OptionalLong chunk =
        LongStream.range(0, Math.ceilDiv(words, CHUNK))
            .parallel()
            .filter(c ->
                has(memory, c * CHUNK, Math.min(words, (c + 1) * CHUNK), exponent, lowest, sign))
            .findFirst();
    long from = (chunk.isPresent() ? chunk.getAsLong() * CHUNK : words) * Long.BYTES;
    for (long i = from / t.dtype().bytes(); i < t.elements(); i++) {
      if (!Double.isFinite(t.getDouble(i))) {
        return OptionalLong.of(i);
      }
    }
    return OptionalLong.empty();
  }

  private static boolean has(
      MemorySegment memory, long from, long to, long exponent, long lowest, long sign) {
    long carries = 0;
    for (long i = from; i < to; i++) {
      carries |= (memory.get(WORD, i * Long.BYTES) & exponent) + lowest;
    }
    return (carries & sign) != 0;
  }
}
