package dev.nibble.data.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageProcessorTest {
  @TempDir Path folder;

  @Tag("golden")
  @ParameterizedTest
  @ValueSource(
      strings = {
        "rgb.png",
        "rgba.png",
        "palette.png",
        "tiny.png",
        "grey.jpg",
        "wide.jpg",
        "tall.jpg",
        "exif.jpg"
      })
  void resizesAndPreparesAsClipsProcessorToTheBit(String file) throws IOException {
    GoldenTensors golden = GoldenTensors.of("llava", "processed.safetensors");
    ImageProcessor processor = ImageProcessor.of(Golden.path("llava", "model"));
    RgbImage decoded = golden.image("decoded." + file);
    RgbImage resized = processor.resized(decoded, file);

    assertThat(resized.height()).isEqualTo(golden.dim("resized." + file, 1));
    assertThat(resized.width()).isEqualTo(golden.dim("resized." + file, 2));
    assertThat(byChannel(resized)).isEqualTo(golden.bytes("resized." + file));
    assertThat(processor.pixels(decoded, file)).isEqualTo(golden.floats("pixel_values." + file));
  }

  @Tag("golden")
  @Test
  void preparesAsSiglipsProcessorToTheBit() throws IOException {
    GoldenTensors decoded = GoldenTensors.of("llava", "processed.safetensors");
    float[] both = GoldenTensors.of("llava", "siglip", "golden.safetensors").floats("pixel_values");
    ImageProcessor processor = ImageProcessor.of(Golden.path("llava", "siglip", "model"));
    int each = both.length / 2;

    assertThat(processor.pixels(decoded.image("decoded.rgb.png"), "rgb"))
        .isEqualTo(Arrays.copyOf(both, each));
    assertThat(processor.pixels(decoded.image("decoded.wide.jpg"), "wide"))
        .isEqualTo(Arrays.copyOfRange(both, each, 2 * each));
  }

  @Test
  void readsEitherFileAndTheNumbersOfOldOnes() throws IOException {
    own("{\"feature_extractor_type\": \"CLIPFeatureExtractor\", \"size\": 40, \"crop_size\": 30}");
    assertThat(ImageProcessor.of(folder).output()).isEqualTo(new ImageSize(30, 30));

    Files.writeString(
        folder.resolve("processor_config.json"), "{\"processor_class\": \"LlavaProcessor\"}");
    assertThat(ImageProcessor.of(folder).output()).isEqualTo(new ImageSize(30, 30));

    Files.writeString(
        folder.resolve("processor_config.json"),
        "{\"image_processor\": {\"image_processor_type\": \"SiglipImageProcessor\", \"size\": {\"height\": 8, \"width\": 12}}}");
    assertThat(ImageProcessor.of(folder).output()).isEqualTo(new ImageSize(12, 8));
  }

  @Test
  void defaultsAreThoseOfTheClasses() throws IOException {
    RgbImage grey = new RgbImage(2, 2, new byte[12]);
    own("{\"image_processor_type\": \"CLIPImageProcessor\"}");
    assertThat(ImageProcessor.of(folder).output()).isEqualTo(new ImageSize(224, 224));
    assertThat(ImageProcessor.of(folder).pixels(grey, "grey")[0])
        .isEqualTo(-(float) 0.48145466 / (float) 0.26862954);

    own("{\"image_processor_type\": \"SiglipImageProcessor\"}");
    assertThat(ImageProcessor.of(folder).output()).isEqualTo(new ImageSize(224, 224));
    assertThat(ImageProcessor.of(folder).pixels(grey, "grey")[0]).isEqualTo(-1f);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"resample\": 2| \"resample\" is 2; supported: 3, which is bicubic",
        "\"do_resize\": false| \"do_resize\" is false; supported: true",
        "\"do_center_crop\": false| \"do_center_crop\" is false; supported: true",
        "\"image_mean\": [0.5, 0.5]| \"image_mean\" is [0.5,0.5]; supported: three numbers",
        "\"image_std\": [1, 0, 1]| \"image_std\" is [1,0,1]; supported: three positive numbers",
        "\"rescale_factor\": 0| \"rescale_factor\" is 0; supported: a positive number",
        "\"size\": {\"longest_edge\": 9}| \"size\" is {\"longest_edge\":9}; supported: a positive",
        "\"crop_size\": {\"height\": 9}| \"crop_size\" is {\"height\":9}; supported: a positive",
        "\"crop_size\": 225| \"crop_size\" is 225; supported: at most the shorter edge that",
        "\"image_grid_pinpoints\": [[9, 9]]| \"image_grid_pinpoints\" is [[9,9]]; supported: no"
      })
  void refusesWhatItDoesNotDo(String entry, String error) throws IOException {
    own("{\"image_processor_type\": \"CLIPImageProcessor\", " + entry + "}");
    assertThatThrownBy(() -> ImageProcessor.of(folder))
        .isInstanceOf(InvalidImage.class)
        .hasMessageContaining("preprocessor_config.json: " + error.strip());
  }

  @Test
  void refusesOtherProcessorsAndFoldersWithoutOne() throws IOException {
    assertThatThrownBy(() -> ImageProcessor.of(folder))
        .isInstanceOf(InvalidImage.class)
        .hasMessageContaining("preprocessor_config.json: expected a description");
    own("{\"image_processor_type\": \"LlavaNextImageProcessor\"}");
    assertThatThrownBy(() -> ImageProcessor.of(folder))
        .isInstanceOf(InvalidImage.class)
        .hasMessageContaining("\"image_processor_type\" is \"LlavaNextImageProcessor\"");
  }

  @Test
  void aLineOfPixelsDoesNotBecomeAnEndlessOne() throws IOException {
    own("{\"image_processor_type\": \"CLIPImageProcessor\"}");
    ImageProcessor processor = ImageProcessor.of(folder);
    RgbImage line = new RgbImage(1, 2000, new byte[6000]);
    assertThatThrownBy(() -> processor.pixels(line, "line.png"))
        .isInstanceOf(InvalidImage.class)
        .hasMessageContaining("line.png: is 1 x 2000, too long and narrow");
  }

  private void own(String json) throws IOException {
    Files.writeString(folder.resolve("preprocessor_config.json"), json);
  }

  private static byte[] byChannel(RgbImage image) {
    int plane = image.width() * image.height();
    byte[] planes = new byte[3 * plane];
    for (int i = 0; i < planes.length; i++) {
      planes[i] = image.samples()[3 * (i % plane) + i / plane];
    }
    return planes;
  }
}
