package dev.nibble.quant;

import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;

/** The tensors in which a checkpoint stores one weight, made on the host to be filled. */
public final class PackedTensors {
  private final SequencedMap<String, Tensor> all = new LinkedHashMap<>();

  /** Tensors of zeros. */
  public static PackedTensors zeros(List<TensorInfo> tensors) {
    PackedTensors made = new PackedTensors();
    tensors.forEach(made::add);
    return made;
  }

  /** Makes another tensor of zeros. */
  public Tensor add(TensorInfo t) {
    byte[] memory = new byte[Math.toIntExact(t.bytes())];
    Tensor made = Tensor.onHost(t.name(), t.dtype(), t.shape(), MemorySegment.ofArray(memory));
    all.put(t.name(), made);
    return made;
  }

  /** The tensor of a name, which was made. */
  public Tensor get(String name) {
    return Objects.requireNonNull(all.get(name), name);
  }

  /** All of them, in the order in which they were made. */
  public SequencedMap<String, Tensor> all() {
    return Collections.unmodifiableSequencedMap(all);
  }
}
