package dev.nibble.quant.bnb;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Codebook.Scales;
import dev.nibble.quant.NonFinite;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.codebook.BlockScales;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** A loader of 4-bit weights as they are: codes, scales and tables are the checkpoint's. */
final class FourBitLoader implements StoredWeights.Loader {
  private static final String GROUP = "weights/";

  private final StoredTensors checkpoint;
  private final Map<String, QuantState> states;
  private final Kernels kernels;
  private final Scope scope;
  private final Map<ByteBuffer, Tensor> tables = new HashMap<>();

  FourBitLoader(
      StoredTensors checkpoint, Map<String, QuantState> states, Kernels kernels, Scope scope) {
    this.checkpoint = checkpoint;
    this.states = states;
    this.kernels = kernels;
    this.scope = scope;
  }

  @Override
  public Codebook load(String weight) {
    QuantState state =
        Optional.ofNullable(states.get(weight))
            .orElseThrow(() -> new IllegalArgumentException(weight + " is dense"));
    return new Codebook(
        codes(weight),
        table(weight + QuantState.MAP),
        state.offset().isPresent()
            ? nested(weight, state.offset().get())
            : new Scales.Plain(statistic(weight + QuantState.ABSMAX)),
        state.rows(),
        state.cols(),
        state.format().blockSize());
  }

  private Tensor codes(String weight) {
    Tensor stored = checkpoint.tensor(weight);
    Tensor codes = scope.allocate(GROUP + weight, DType.U8, stored.bytes());
    kernels.moving().copy(codes, Tensor.onHost(weight, DType.U8, codes.shape(), stored.memory()));
    checkpoint.unload(weight);
    return codes;
  }

  private Scales nested(String weight, float mean) {
    Tensor offset = scope.allocate(GROUP + weight + ".nested_offset", DType.F32, 1);
    TensorValues.put(kernels, offset, mean);
    return new Scales.Nested(
        statistic(weight + QuantState.ABSMAX),
        statistic(weight + QuantState.NESTED_ABSMAX),
        table(weight + QuantState.NESTED_MAP),
        offset,
        BlockScales.NESTED_BLOCK);
  }

  private Tensor statistic(String name) {
    Tensor stored = finite(name);
    Tensor copy = scope.allocate(GROUP + name, stored.dtype(), stored.elements());
    kernels.moving().copy(copy, stored.reshape(stored.elements()));
    checkpoint.unload(name);
    return copy;
  }

  /** Every weight has tables of its own in the file, but in practice they are all the same. */
  private Tensor table(String name) {
    byte[] values = finite(name).memory().toArray(ValueLayout.JAVA_BYTE);
    return tables.computeIfAbsent(ByteBuffer.wrap(values), v -> statistic(name));
  }

  private Tensor finite(String name) {
    Tensor stored = checkpoint.tensor(name);
    boolean values = stored.dtype() == DType.F32 && !kernels.memory().isPlanned();
    OptionalLong bad = values ? NonFinite.first(stored) : OptionalLong.empty();
    if (bad.isPresent()) {
      throw new UnusableWeight(
          "%s: tensor '%s' has %s at [%d], expected a number"
              .formatted(
                  checkpoint.placeOf(name),
                  name,
                  stored.getFloat(bad.getAsLong()),
                  bad.getAsLong()));
    }
    return stored;
  }
}
