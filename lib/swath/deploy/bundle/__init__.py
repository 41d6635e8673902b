"""What is carried into a site that has no link: all images and files of its delivery, listed, signed, checked there."""
