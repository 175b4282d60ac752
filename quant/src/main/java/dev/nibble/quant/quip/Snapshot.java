package dev.nibble.quant.quip;

import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** Copies of tensors on the host, to go back to what they were. */
final class Snapshot {
  private final Map<Tensor, byte[]> bytes = new LinkedHashMap<>();

  /** Of all tensors that {@code each} visits. */
  Snapshot(Consumer<UnaryOperator<Tensor>> each) {
    each.accept(t -> {
      bytes.computeIfAbsent(t, there -> there.memory().toArray(ValueLayout.JAVA_BYTE));
      return t;
    });
  }

  void restore() {
    bytes.forEach((t, saved) -> t.memory().copyFrom(MemorySegment.ofArray(saved)));
  }
}
