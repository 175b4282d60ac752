package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.concurrency.AffinityManager;
import org.nd4j.linalg.api.concurrency.AffinityManager.Location;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Copies of tensors in ND4J's own arrays, which its backend moves to its device. A tensor is copied
 * in when it is first used, and back when the call ends, if an operation wrote it.
 *
 * <p>Each tensor of a call is staged once, so that outputs that are inputs too stay one. Two
 * tensors of a call may therefore not overlap in part.
 */
final class StagedBuffers implements Nd4jBuffers {
  private final Map<Long, Staged> staged = new LinkedHashMap<>();
  private final AffinityManager places = Nd4j.getAffinityManager();

  private record Staged(Tensor tensor, INDArray array) {}

  @Override
  public DataBuffer of(Tensor t) {
    Staged known = staged.get(t.memory().address());
    if (known != null && known.tensor().bytes() != t.bytes()) {
      throw new IllegalArgumentException(
          "%s and %s overlap in one call".formatted(known.tensor(), t));
    }
    if (known == null) {
      known = new Staged(t, Nd4j.createUninitialized(Nd4jBuffers.type(t.dtype()), t.elements()));
      Pointer.memcpy(known.array().data().pointer(), Nd4jBuffers.pointer(t), t.bytes());
      places.tagLocation(known.array(), Location.HOST);
      staged.put(t.memory().address(), known);
    }
    return known.array().data();
  }

  @Override
  public void close() {
    for (Staged s : staged.values()) {
      if (!s.tensor().memory().isReadOnly() && written(s.array())) {
        places.ensureLocation(s.array(), Location.HOST);
        Pointer.memcpy(
            Nd4jBuffers.pointer(s.tensor()), s.array().data().pointer(), s.tensor().bytes());
      }
    }
    staged.values().forEach(s -> s.array().close());
    staged.clear();
  }

  /** Whether only the device has the newest values; the CPU's backend cannot tell. */
  private boolean written(INDArray a) {
    return Nd4j.getEnvironment().isCPU() || places.getActiveLocation(a) == Location.DEVICE;
  }
}
