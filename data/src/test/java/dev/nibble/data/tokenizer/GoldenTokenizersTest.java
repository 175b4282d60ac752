package dev.nibble.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.data.Golden;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Token ids, places and decoded text equal those of the Python library. */
@Tag("golden")
class GoldenTokenizersTest {
  @ParameterizedTest
  @ValueSource(strings = {"llama2_like", "llama3_like", "qwen_like"})
  void agreesOnEveryCase(String name) {
    Path folder = Golden.path("tokenizers", name);
    JsonNode cases = new JsonMapper().readTree(folder.resolve("cases.json"));
    assertThat(cases).hasSizeGreaterThan(20);
    try (Tokenizer tokenizer = Tokenizers.open(folder)) {
      for (JsonNode c : cases) {
        String text = c.path("text").asString();
        int[] ids = ints(c.path("ids"));
        int[] plain = ints(c.path("ids_plain"));
        assertThat(tokenizer.ids(text, true)).as(text).isEqualTo(ids);
        Encoding encoding = tokenizer.encode(text, false);
        assertThat(encoding.ids()).as(text).isEqualTo(plain);
        assertThat(places(encoding)).as(text).isEqualTo(places(c.path("offsets")));
        assertThat(tokenizer.decode(plain, false)).isEqualTo(c.path("decoded").asString());
        assertThat(tokenizer.decode(ids, true)).isEqualTo(c.path("decoded_skip").asString());
      }
    }
  }

  private static List<List<Integer>> places(Encoding encoding) {
    List<List<Integer>> places = new ArrayList<>();
    for (int i = 0; i < encoding.ids().length; i++) {
      places.add(List.of(encoding.starts()[i], encoding.ends()[i]));
    }
    return places;
  }

  private static List<List<Integer>> places(JsonNode offsets) {
    return offsets.valueStream().map(o -> List.of(o.path(0).asInt(), o.path(1).asInt())).toList();
  }

  private static int[] ints(JsonNode array) {
    Stream<JsonNode> items = array.valueStream();
    return items.mapToInt(JsonNode::asInt).toArray();
  }
}
