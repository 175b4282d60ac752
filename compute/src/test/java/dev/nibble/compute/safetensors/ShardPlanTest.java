package dev.nibble.compute.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.safetensors.ShardPlan.Shard;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ShardPlanTest {
  @TempDir Path folder;

  private static TensorInfo bytes(String name, long n) {
    return new TensorInfo(name, DType.U8, Shape.of(n));
  }

  private static List<List<String>> names(ShardPlan plan) {
    return plan.shards().stream()
        .map(s -> s.tensors().stream().map(TensorInfo::name).toList())
        .toList();
  }

  @Test
  void whatFitsIsOneFileWithoutAnIndex() throws IOException {
    ShardPlan plan = ShardPlan.of(List.of(bytes("b", 4), bytes("a", 6)), 10);
    assertThat(plan.shards())
        .containsExactly(new Shard("model.safetensors", List.of(bytes("b", 4), bytes("a", 6))));
    plan.writeIndex(folder, 10);
    assertThat(folder).isEmptyDirectory();
  }

  /** The lists are what {@code split_torch_state_dict_into_shards} of huggingface_hub gave. */
  @Test
  void splitsAsTransformersDoes() {
    List<TensorInfo> model =
        List.of(bytes("a", 4), bytes("b", 4), bytes("huge", 11), bytes("c", 2), bytes("d", 1));
    assertThat(names(ShardPlan.of(model, 10)))
        .containsExactly(List.of("huge"), List.of("a", "b", "c"), List.of("d"));
    assertThat(names(ShardPlan.of(model, 8)))
        .containsExactly(List.of("huge"), List.of("a", "b"), List.of("c", "d"));
    assertThat(names(ShardPlan.of(List.of(bytes("huge", 11), bytes("a", 1)), 10)))
        .containsExactly(List.of("huge"), List.of("a"));
    assertThat(names(ShardPlan.of(List.of(bytes("huge", 11)), 10)))
        .containsExactly(List.of("huge"));
  }

  @Test
  void writesTheIndexAsTransformersDoes() throws IOException {
    ShardPlan plan = ShardPlan.of(List.of(bytes("w.b", 4), bytes("é", 4), bytes("a", 3)), 8);
    assertThat(plan.totalBytes()).isEqualTo(11);
    plan.writeIndex(folder, 7);
    assertThat(folder.resolve("model.safetensors.index.json"))
        .hasContent(
            """
            {
              "metadata": {
                "total_parameters": 7,
                "total_size": 11
              },
              "weight_map": {
                "a": "model-00002-of-00002.safetensors",
                "w.b": "model-00001-of-00002.safetensors",
                "\\u00E9": "model-00001-of-00002.safetensors"
              }
            }
            """);
    for (Shard shard : plan.shards()) {
      SafetensorsWriter.write(
          folder.resolve(shard.file()),
          shard.tensors(),
          Map.of("format", "pt"),
          sink -> {
            for (TensorInfo t : shard.tensors()) {
              MemorySegment memory = MemorySegment.ofArray(new byte[(int) t.bytes()]);
              memory.fill((byte) t.name().length());
              sink.put(t.name(), Tensor.onHost(t.name(), t.dtype(), t.shape(), memory));
            }
          });
    }
    try (ShardedSafetensors model = ShardedSafetensors.open(folder)) {
      assertThat(model.names()).containsExactlyInAnyOrder("a", "w.b", "é");
      assertThat(model.tensor("w.b").toInts()).containsExactly(3, 3, 3, 3);
    }
  }

  @Test
  void aFileNeedsRoom() {
    assertThatThrownBy(() -> ShardPlan.of(List.of(), 0)).hasMessageContaining("at most 0 bytes");
  }
}
