package dev.nibble.trainer.model.build;

import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.config.TensorSpec;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * A checkpoint in BF16 that lies nowhere: a tensor is made when it is asked for, and gone when it
 * is unloaded. Matrices are about normal(0, initializer_range), norms 1 (stored as 1 - offset),
 * biases 0; a tensor's values depend on the seed and its name only.
 */
final class RandomWeights implements StoredTensors, AutoCloseable {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long CHUNK = 1 << 16;

  private final ModelConfig config;
  private final long seed;
  private final Memory memory;
  private final SequencedMap<String, TensorSpec> specs = new LinkedHashMap<>();
  private final Map<String, Scope> made = new HashMap<>();
  private final Map<String, Tensor> tensors = new HashMap<>();
  private long nanos;

  /**
   * Random weights.
   *
   * @param memory where they are made; planned memory gets their sizes alone
   */
  RandomWeights(ModelConfig config, long seed, Memory memory) {
    this.config = config;
    this.memory = memory;
    this.seed = seed;
    ModelTensors.of(config).forEach(t -> specs.put(t.name(), t));
  }

  /** Seconds that making tensors has taken so far. */
  double seconds() {
    return nanos / 1e9;
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(specs.sequencedKeySet());
  }

  @Override
  public boolean has(String name) {
    return specs.containsKey(name);
  }

  @Override
  public String placeOf(String name) {
    return "random weights";
  }

  @Override
  public Tensor tensor(String name) {
    return tensors.computeIfAbsent(name, this::make);
  }

  @Override
  public void unload(String name) {
    tensors.remove(name);
    Scope scope = made.remove(name);
    if (scope != null) {
      scope.close();
    }
  }

  private Tensor make(String name) {
    TensorSpec spec = specs.get(name);
    if (spec == null) {
      throw new IllegalArgumentException("no tensor named " + name);
    }
    long start = System.nanoTime();
    Scope scope = Scope.open(name, memory);
    made.put(name, scope);
    Tensor t = scope.allocate(name, DType.BF16, spec.shape().dims());
    if (memory.isPlanned()) {
      return t;
    }
    switch (spec.kind()) {
      case NORM -> fill(t, (float) (1 - config.normOffset()));
      case BIAS -> fill(t, 0);
      case EMBEDDING, LINEAR, HEAD -> draw(t, Dropout.hash(seed) + name.hashCode());
    }
    nanos += System.nanoTime() - start;
    return t;
  }

  private static void fill(Tensor t, float value) {
    for (long i = 0; i < t.elements(); i++) {
      t.setFloat(i, value);
    }
  }

  private void draw(Tensor t, long key) {
    float scale = (float) config.initializerRange();
    LongStream.range(0, Math.ceilDiv(t.elements(), CHUNK))
        .parallel()
        .forEach(c -> {
          long end = Math.min(t.elements(), (c + 1) * CHUNK);
          for (long i = c * CHUNK; i < end; i++) {
            t.memory().set(SHORT, 2 * i, Half.toBf16(scale * normal(key, i)));
          }
        });
  }

  /** The sum of four uniform numbers, of deviation 1: a normal one but for its tails. */
  private static float normal(long key, long index) {
    long bits = Dropout.hash(key + index * 0x9E3779B97F4A7C15L);
    long sum = (bits & 0xffff) + (bits >>> 16 & 0xffff) + (bits >>> 32 & 0xffff) + (bits >>> 48);
    return (sum - 2 * 0xffff) * SPREAD;
  }

  /** Four uniform numbers in [0, 2^16) have a deviation of 2^16 sqrt(4/12). */
  private static final float SPREAD = (float) (Math.sqrt(3) / (1 << 16));

  @Override
  public void close() {
    made.values().forEach(Scope::close);
  }
}
