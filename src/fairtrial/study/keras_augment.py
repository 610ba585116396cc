"""The part of a Keras program that moves the images it trains on.

Keras has layers that do so, RandomTranslation, RandomRotation and RandomZoom: three of them blur an image three times,
and the size that the last one draws is the inverse of ours. So the program says it itself.
"""

MOVED = '''def moved(images, labels):
    """Images scaled, rotated and shifted about their centre, at random: each anew in every epoch.

    Keras draws other numbers than fairtrial does. keras.layers.RandomZoom, RandomRotation and RandomTranslation do
    nearly the same, in three steps; this is one, so that pixels are mixed with their neighbours only once.
    """
    count = keras.ops.shape(images)[0]
    down, right = SHIFT * random(count), SHIFT * random(count)
    turn, size = ROTATE * np.pi / 180 * random(count), 1 + ZOOM * random(count)
    cosine, sine = keras.ops.cos(turn) / size, keras.ops.sin(turn) / size
    # Where the pixel at (x, y) comes from: outside the image all is zero.
    middle_y, middle_x = (images.shape[1] - 1) / 2, (images.shape[2] - 1) / 2
    x, y, zero = middle_x + right, middle_y + down, keras.ops.zeros_like(turn)
    origin_x = middle_x - cosine * x + sine * y
    origin_y = middle_y - sine * x - cosine * y
    transforms = keras.ops.stack([cosine, -sine, origin_x, sine, cosine, origin_y, zero, zero], axis=1)
    images = keras.ops.image.affine_transform(
        images, transforms, interpolation="bilinear", fill_mode="constant", fill_value=0
    )
    return keras.ops.round(images * 255) / 255, labels


def random(count):
    """So many numbers, uniform from -1 to 1."""
    return tf.random.uniform([count], -1, 1)


training = training.map(moved)
'''
