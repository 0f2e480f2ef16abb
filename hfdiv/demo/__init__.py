"""The main job: a monotone model measured, trained for diversity, and measured again."""
