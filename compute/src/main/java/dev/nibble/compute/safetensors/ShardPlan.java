package dev.nibble.compute.safetensors;

import dev.nibble.compute.files.AtomicFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.core.util.Separators;

/**
 * A plan of which tensor of a model goes into which file, with the splits, names and index of
 * transformers' {@code save_pretrained}.
 *
 * @param shards the files, in order; at least one
 */
public record ShardPlan(List<Shard> shards) {
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  /**
   * One file.
   *
   * @param file its name in the model's folder
   * @param tensors in the model's order
   */
  public record Shard(String file, List<TensorInfo> tensors) {}

  /** Copies the list. */
  public ShardPlan {
    shards = List.copyOf(shards);
  }

  /**
   * Fills one file after another.
   *
   * @param tensors in the model's order, in which files are filled
   * @param maxBytes the most bytes of tensors in one file; a larger tensor gets a file of its own
   */
  public static ShardPlan of(Collection<TensorInfo> tensors, long maxBytes) {
    if (maxBytes < 1) {
      throw new IllegalArgumentException("a file of at most %d bytes".formatted(maxBytes));
    }
    List<List<TensorInfo>> parts = new ArrayList<>();
    List<TensorInfo> open = new ArrayList<>();
    long bytes = 0;
    for (TensorInfo t : tensors) {
      if (t.bytes() > maxBytes) {
        parts.add(List.of(t));
        continue;
      }
      if (bytes + t.bytes() > maxBytes) {
        parts.add(open);
        open = new ArrayList<>();
        bytes = 0;
      }
      open.add(t);
      bytes += t.bytes();
    }
    if (!open.isEmpty() || parts.isEmpty()) {
      parts.add(open);
    }
    List<Shard> shards = new ArrayList<>();
    for (List<TensorInfo> part : parts) {
      String file =
          parts.size() == 1
              ? ShardedSafetensors.SINGLE
              : "model-%05d-of-%05d.safetensors".formatted(shards.size() + 1, parts.size());
      shards.add(new Shard(file, List.copyOf(part)));
    }
    return new ShardPlan(shards);
  }

  /** True when the model is one {@value ShardedSafetensors#SINGLE}, which needs no index. */
  public boolean isSingle() {
    return shards.size() == 1;
  }

  /** Bytes of all tensors, without headers. */
  public long totalBytes() {
    return shards.stream().flatMap(s -> s.tensors().stream()).mapToLong(TensorInfo::bytes).sum();
  }

  /**
   * Writes {@value ShardedSafetensors#INDEX}, which says where each tensor lies. Of a model in one
   * file nothing is written.
   *
   * @param folder where the files are
   * @param parameters the model's number of weights, which readers show
   */
  public void writeIndex(Path folder, long parameters) throws IOException {
    if (!isSingle()) {
      AtomicFile.write(folder.resolve(ShardedSafetensors.INDEX), index(parameters));
    }
  }

  private byte[] index(long parameters) {
    Map<String, String> fileOf = new TreeMap<>();
    shards.forEach(s -> s.tensors().forEach(t -> fileOf.put(t.name(), s.file())));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(indented(), bytes)) {
      json.writeStartObject();
      json.writeName("metadata").writeStartObject();
      json.writeNumberProperty("total_parameters", parameters);
      json.writeNumberProperty("total_size", totalBytes());
      json.writeEndObject();
      json.writeName("weight_map").writeStartObject();
      fileOf.forEach(json::writeStringProperty);
      json.writeEndObject();
      json.writeEndObject();
    }
    bytes.write('\n');
    return bytes.toByteArray();
  }

  /** Lines as Python's {@code json.dumps(..., indent=2)} breaks them. */
  private static ObjectWriteContext indented() {
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter(
                Separators.createDefaultInstance()
                    .withObjectNameValueSpacing(Separators.Spacing.AFTER))
            .withObjectIndenter(new DefaultIndenter("  ", "\n"));
    return new ObjectWriteContext.Base() {
      @Override
      public PrettyPrinter getPrettyPrinter() {
        return printer;
      }

      @Override
      public boolean hasPrettyPrinter() {
        return true;
      }
    };
  }
}
