package dev.nibble.examples.checkpoint;

import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.ShardPlan;
import dev.nibble.compute.safetensors.TensorInfo;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.examples.Program;
import dev.nibble.examples.ProgramException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Writes a Llama of random weights in BF16, in files of up to 5 GB, to measure loading with. One
 * tensor at a time is in memory.
 */
public final class RandomCheckpoint {
  private static final long SHARD_BYTES = 5_000_000_000L;
  private static final long CHUNK = 1 << 16;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  // The sum of four uniform numbers in [0, 2^16) has a deviation of 2^16 / sqrt(3); weights, 0.02.
  private static final float SCALE = 0.02f * (float) (Math.sqrt(3) / (1 << 16));

  private static final List<String> TOKENIZER =
      List.of("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json");

  private static final String HELP =
      """
      Writes a model of random weights in Hugging Face's layout: config.json, safetensors, tokenizer.

      Usage: RandomCheckpoint SHAPE TOKENIZER OUT
        SHAPE      tiny (14 million weights), 1b (1.1 billion) or 7b (6.7 billion, 13.5 GB)
        TOKENIZER  folder with the tokenizer's files, such as examples/wordnet/base
        OUT        folder for the model\
      """;

  private RandomCheckpoint() {}

  /** See {@code --help}. */
  public static void main(String[] args) {
    Program.main(
        args,
        HELP,
        3,
        a -> write(LlamaShape.named(a.get(0)), Path.of(a.get(1)), Path.of(a.get(2)), SHARD_BYTES));
  }

  /** Writes a model in files of up to {@code shardBytes} of tensors. */
  static void write(LlamaShape shape, Path tokenizer, Path out, long shardBytes)
      throws IOException {
    for (String name : TOKENIZER) {
      if (!Files.isRegularFile(tokenizer.resolve(name))) {
        throw new ProgramException("%s has no %s".formatted(tokenizer, name));
      }
    }
    Files.createDirectories(out);
    for (String name : TOKENIZER) {
      Files.copy(tokenizer.resolve(name), out.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
    Files.writeString(out.resolve("config.json"), shape.config());
    ShardPlan plan = ShardPlan.of(shape.tensors(), shardBytes);
    for (ShardPlan.Shard shard : plan.shards()) {
      SafetensorsWriter.write(
          out.resolve(shard.file()),
          shard.tensors(),
          Map.of("format", "pt"),
          sink -> {
            for (TensorInfo t : shard.tensors()) {
              try (Scope scope = Scope.open(t.name(), Memory.host())) {
                sink.put(t.name(), made(t, scope));
              }
            }
          });
      System.out.println(out.resolve(shard.file()));
    }
    plan.writeIndex(out, shape.weights());
  }

  /** Norms are 1; a matrix depends on its name only. */
  private static Tensor made(TensorInfo info, Scope scope) {
    Tensor t = scope.allocate(info.name(), DType.BF16, info.shape().dims());
    boolean isNorm = info.shape().rank() == 1;
    long key = mixed(info.name().hashCode());
    LongStream.range(0, Math.ceilDiv(t.elements(), CHUNK))
        .parallel()
        .forEach(chunk -> {
          long end = Math.min(t.elements(), (chunk + 1) * CHUNK);
          for (long i = chunk * CHUNK; i < end; i++) {
            t.memory().set(SHORT, 2 * i, Half.toBf16(isNorm ? 1 : normal(key + i)));
          }
        });
    return t;
  }

  /** About normal(0, 0.02). */
  private static float normal(long seed) {
    long bits = mixed(seed);
    long sum = (bits & 0xffff) + (bits >>> 16 & 0xffff) + (bits >>> 32 & 0xffff) + (bits >>> 48);
    return (sum - 2 * 0xffff) * SCALE;
  }

  /** SplitMix64's step and finisher. */
  private static long mixed(long x) {
    long z = x * 0x9E3779B97F4A7C15L;
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }
}
