package dev.nibble.trainer.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code trainer_state.json}: the counts of a run. Written last, so a folder that has it is
 * complete.
 */
final class TrainerStateFile {
  static final String NAME = "trainer_state.json";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .build();

  private TrainerStateFile() {}

  static void write(Path folder, TrainerState state) throws IOException {
    byte[] bytes = (JSON.writeValueAsString(state) + "\n").getBytes(StandardCharsets.UTF_8);
    try (FileChannel file =
        FileChannel.open(
            folder.resolve(NAME), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer left = ByteBuffer.wrap(bytes);
      while (left.hasRemaining()) {
        file.write(left);
      }
      file.force(true);
    }
  }

  static TrainerState read(Path folder) throws IOException {
    Path path = folder.resolve(NAME);
    if (!Files.isRegularFile(path)) {
      throw new CheckpointException(
          "%s is no checkpoint: it has no %s. Give a checkpoint-N folder of a run"
              .formatted(folder, NAME));
    }
    try {
      return JSON.readValue(Files.readString(path), TrainerState.class);
    } catch (JacksonException e) {
      throw new CheckpointException(
          "%s is damaged: %s. Resume from an earlier checkpoint"
              .formatted(path, e.getOriginalMessage()),
          e);
    }
  }
}
