package dev.nibble.data.images;

import dev.nibble.data.Golden;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Tensors of a golden safetensors file. */
record GoldenTensors(JsonNode header, ByteBuffer data) {
  static GoldenTensors of(String first, String... more) throws IOException {
    ByteBuffer file =
        ByteBuffer.wrap(Files.readAllBytes(Golden.path(first, more)))
            .order(ByteOrder.LITTLE_ENDIAN);
    byte[] header = new byte[(int) file.getLong()];
    file.get(header);
    return new GoldenTensors(
        JsonMapper.shared().readTree(new String(header, StandardCharsets.UTF_8)),
        file.slice().order(ByteOrder.LITTLE_ENDIAN));
  }

  int dim(String name, int axis) {
    return header.get(name).get("shape").get(axis).asInt();
  }

  byte[] bytes(String name) {
    byte[] bytes = new byte[slice(name).remaining()];
    slice(name).get(bytes);
    return bytes;
  }

  float[] floats(String name) {
    float[] floats = new float[slice(name).remaining() / Float.BYTES];
    slice(name).asFloatBuffer().get(floats);
    return floats;
  }

  /** A uint8 tensor [H, W, 3]. */
  RgbImage image(String name) {
    return new RgbImage(dim(name, 1), dim(name, 0), bytes(name));
  }

  private ByteBuffer slice(String name) {
    JsonNode at = header.get(name).get("data_offsets");
    int from = at.get(0).asInt();
    return data.slice(from, at.get(1).asInt() - from).order(ByteOrder.LITTLE_ENDIAN);
  }
}
