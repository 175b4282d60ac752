package dev.nibble.data.images;

import dev.nibble.data.tokenizer.ModelJson;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * Reader of an image processor's description, with the defaults of transformers' classes. A key
 * that would change the pixels and is not known, or has a value that is not supported, is an error
 * that names file, key and value.
 */
final class ImageProcessorFile {
  private static final String NESTED = "image_processor";
  private static final String TYPE = NESTED + "_type";
  private static final String OLD_TYPE = "feature_extractor_type";
  private static final String SHORTEST_EDGE = "shortest_edge";
  private static final Set<String> CLIP =
      Set.of("CLIPImageProcessor", "CLIPImageProcessorFast", "CLIPFeatureExtractor");
  private static final Set<String> SIGLIP =
      Set.of("SiglipImageProcessor", "SiglipImageProcessorFast");

  /** Keys that say nothing about pixels. */
  private static final Set<String> SILENT =
      Set.of("processor_class", "_valid_processor_keys", TYPE, OLD_TYPE);

  private static final int BICUBIC = 3;
  private static final double[] CLIP_MEAN = {0.48145466, 0.4578275, 0.40821073};
  private static final double[] CLIP_DEVIATION = {0.26862954, 0.26130258, 0.27577711};
  private static final double[] HALF = {0.5, 0.5, 0.5};

  private final Path file;
  private final JsonNode node;
  private final Set<String> read = new HashSet<>(SILENT);

  private ImageProcessorFile(Path file, JsonNode node) {
    this.file = file;
    this.node = node;
  }

  static ImageProcessor read(Path folder) {
    Path whole = folder.resolve("processor_config.json");
    JsonNode nested = ModelJson.read(whole, InvalidImage::new).path(NESTED);
    if (nested.isObject()) {
      return new ImageProcessorFile(whole, nested).processor();
    }
    Path own = folder.resolve("preprocessor_config.json");
    JsonNode node = ModelJson.read(own, InvalidImage::new);
    if (!node.isObject() || node.isEmpty()) {
      throw new InvalidImage(
          "%s: expected a description of how images are prepared there or as \"%s\" in %s, found none"
              .formatted(own, NESTED, whole));
    }
    return new ImageProcessorFile(own, node).processor();
  }

  private ImageProcessor processor() {
    String type = node.path(TYPE).asString(node.path(OLD_TYPE).asString(""));
    boolean isClip = CLIP.contains(type);
    if (!isClip && !SIGLIP.contains(type)) {
      throw wrong(TYPE, "CLIPImageProcessor or SiglipImageProcessor");
    }
    for (String key : List.of("do_resize", "do_rescale", "do_normalize", "do_convert_rgb")) {
      requireTrue(key);
    }
    if (has("resample") && node.get("resample").asInt(-1) != BICUBIC) {
      throw wrong("resample", "3, which is bicubic");
    }
    requireText("data_format", "channels_first");
    Normalization normalization =
        new Normalization(
            factor(),
            numbers("image_mean", isClip ? CLIP_MEAN : HALF, false),
            numbers("image_std", isClip ? CLIP_DEVIATION : HALF, true));
    ImageProcessor processor = isClip ? clip(normalization) : siglip(normalization);
    node.properties()
        .forEach(e -> {
          if (!read.contains(e.getKey()) && !e.getValue().isNull()) {
            throw wrong(e.getKey(), "no such key");
          }
        });
    return processor;
  }

  private ImageProcessor clip(Normalization normalization) {
    requireTrue("do_center_crop");
    if (has("default_to_square") && node.get("default_to_square").asBoolean(true)) {
      throw wrong("default_to_square", "false");
    }
    int edge = 224;
    if (has("size")) {
      JsonNode size = node.get("size");
      edge = size.isObject() && size.size() == 1 ? size.path(SHORTEST_EDGE).asInt(0) : number(size);
      if (edge < 1) {
        throw wrong("size", "a positive number of pixels as \"%s\"".formatted(SHORTEST_EDGE));
      }
    }
    ImageSize crop = size("crop_size", 224);
    if (Math.max(crop.width(), crop.height()) > edge) {
      throw wrong("crop_size", "at most the shorter edge that \"size\" gives, %d".formatted(edge));
    }
    return ImageProcessor.cropping(edge, crop, normalization);
  }

  private ImageProcessor siglip(Normalization normalization) {
    if (has("do_center_crop") && node.get("do_center_crop").asBoolean(true)) {
      throw wrong("do_center_crop", "false");
    }
    return ImageProcessor.exact(size("size", 224), normalization);
  }

  /** A width and a height, or one number for both. */
  private ImageSize size(String key, int fallback) {
    if (!has(key)) {
      return new ImageSize(fallback, fallback);
    }
    JsonNode size = node.get(key);
    boolean isPair = size.isObject() && size.size() == 2;
    int width = isPair ? number(size.path("width")) : number(size);
    int height = isPair ? number(size.path("height")) : number(size);
    if (width < 1 || height < 1 || (long) width * height > Images.MOST_PIXELS) {
      throw wrong(key, "a positive \"width\" and \"height\" in pixels");
    }
    return new ImageSize(width, height);
  }

  /** A whole number; 0 for anything else. */
  private static int number(JsonNode node) {
    return node.isInt() ? node.asInt() : 0;
  }

  private double factor() {
    if (!has("rescale_factor")) {
      return 1 / 255.0;
    }
    double factor = node.get("rescale_factor").asDouble(0);
    if (!(factor > 0) || !Double.isFinite(factor)) {
      throw wrong("rescale_factor", "a positive number");
    }
    return factor;
  }

  private float[] numbers(String key, double[] fallback, boolean arePositive) {
    boolean isGiven = has(key);
    JsonNode list = node.path(key);
    float[] numbers = new float[RgbImage.CHANNELS];
    for (int c = 0; c < numbers.length; c++) {
      numbers[c] = (float) (isGiven ? list.path(c).asDouble(Double.NaN) : fallback[c]);
      if (!Float.isFinite(numbers[c]) || (arePositive && numbers[c] <= 0)) {
        throw wrong(key, arePositive ? "three positive numbers" : "three numbers");
      }
    }
    if (isGiven && list.size() != numbers.length) {
      throw wrong(key, "three numbers");
    }
    return numbers;
  }

  private void requireTrue(String key) {
    if (has(key) && !node.get(key).asBoolean(false)) {
      throw wrong(key, "true");
    }
  }

  private void requireText(String key, String supported) {
    if (has(key) && !node.get(key).asString("").equals(supported)) {
      throw wrong(key, supported);
    }
  }

  private boolean has(String key) {
    read.add(key);
    return node.hasNonNull(key);
  }

  private InvalidImage wrong(String key, String supported) {
    return new InvalidImage(
        "%s: \"%s\" is %s; supported: %s"
            .formatted(file, key, node.has(key) ? node.get(key) : "missing", supported));
  }
}
