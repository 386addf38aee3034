/** What the image complains of. */

/** Records that do not fit the image: the changeset or the store is at odds with it. A bug, not an input. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly code = "IMAGE_CONFLICT";
}
